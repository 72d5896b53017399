/**
 * Who may write the catalogue now: a file that one process at a time holds, with the holder's name in it.
 *
 * LMDB has a lock of its own, which keeps the data safe whatever happens here. But a process that is stopped while it
 * holds that one blocks every other in a system call that nothing can end: the thread stays, and at its exit the whole
 * process with it. So whoever wants to write waits here first, where a wait can end, and knows for whom it waits.
 */
import { randomUUID } from 'node:crypto'
import { link, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { errnoOf, TidepoolError } from '../../base/errors.ts'
import { describe, hasGone, readCard, writeCard } from './card.ts'
import { within } from './within.ts'

/** A holder writes for milliseconds: short enough not to leave the disk idle, long enough not to keep a core busy. */
const POLL_MIN_MS = 1
const POLL_SPREAD_MS = 7

/** What file systems without them, such as FAT, answer to the link. */
const NO_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

const GATE = 'writer'
/** Of the cards' names, beside it. */
export const CARD_PREFIX = `${GATE}.`

export class Gate {
  readonly #directory: string
  readonly #file: string
  /** Written whole before it is linked to the gate's name: nobody ever sees a holder without a name. */
  readonly #card: string
  #turn: Promise<void> = Promise.resolve()

  constructor(directory: string) {
    this.#directory = directory
    this.#file = join(directory, GATE)
    this.#card = `${CARD_PREFIX}${process.pid}.${randomUUID()}`
  }

  /** Runs `work` while no other process writes. Before `work` has begun it rejects for the signal, or after `limitMs`. */
  async hold<T>(
    what: string,
    limitMs: number,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const endsAt = performance.now() + limitMs
    const before = this.#turn
    let passOn = (): void => {}
    this.#turn = new Promise((resolve) => {
      passOn = resolve
    })
    try {
      await within(before, limitMs, signal, () => new TooLong())
      await this.#enter(endsAt, signal)
    } catch (error) {
      void before.then(passOn)
      throw error instanceof TooLong ? await this.#tooLong(what, limitMs) : error
    }
    try {
      return await work()
    } finally {
      await rm(this.#file, { force: true }).finally(passOn)
    }
  }

  /** After the last `hold`. */
  async close(): Promise<void> {
    await this.#turn
    await rm(join(this.#directory, this.#card), { force: true })
  }

  async #enter(endsAt: number, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      try {
        await link(join(this.#directory, this.#card), this.#file)
        return
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') {
          await writeCard(this.#directory, this.#card)
          continue
        }
        if (errnoOf(error) !== 'EEXIST') throw this.#noLinks(error)
      }
      const holder = await readCard(this.#file)
      // Ours, where the disk failed when it was to be given back.
      if (holder?.file === this.#card) return
      if (holder && hasGone(holder)) {
        // Two may do this at once and the second take away the first one's: then both come to LMDB's own lock.
        await rm(this.#file, { force: true })
        if (holder.file.startsWith(CARD_PREFIX)) await rm(join(this.#directory, holder.file), { force: true })
        continue
      }
      if (performance.now() >= endsAt) throw new TooLong()
      await pause(POLL_MIN_MS + Math.random() * POLL_SPREAD_MS, signal)
    }
  }

  #noLinks(error: unknown): unknown {
    if (!NO_LINKS.includes(errnoOf(error) ?? '')) return error
    return new TidepoolError('store-file-system', `${this.#directory} can't hold a hard link`, {
      cause: error,
      hint: 'Put the store on a file system of Linux, such as ext4, XFS or ZFS.',
    })
  }

  async #tooLong(what: string, limitMs: number): Promise<TidepoolError> {
    const holder = await readCard(this.#file)
    const tried = `${what}: waited ${limitMs} ms to write the catalogue in ${this.#directory}`
    if (!holder?.pid || holder.pid === process.pid)
      return new TidepoolError('store-locked', `${tried}; too much is written there`, {
        temporary: true,
        hint: 'Try again when less is going on.',
      })
    const { text, stopped } = await describe(holder.pid)
    return new TidepoolError('store-locked', `${tried}, which process ${text} holds`, {
      // Whoever is stopped goes on only when somebody lets it: to try again would hide that.
      temporary: !stopped,
      hint: stopped
        ? `It is stopped: \`kill -CONT ${holder.pid}\` lets it go on, \`kill -KILL ${holder.pid}\` ends it; both are safe for the store.`
        : `If process ${holder.pid} hangs, end it: that is safe for the store.`,
      facts: { pid: holder.pid, stopped },
    })
  }
}

class TooLong extends Error {}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal ? { signal } : {})
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
