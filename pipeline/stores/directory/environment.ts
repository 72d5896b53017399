/**
 * The LMDB environment of one catalogue in this process: reads here, writes in a thread of their own.
 *
 * LMDB is opened once a process and shared by everybody who opens the same path; who opens it first decides whether it
 * can be written. So the reader here opens alone at first (most commands only read, and start at once), gives way when
 * the first write comes, and opens again behind the writer.
 */
import { open, type RootDatabase } from 'lmdb'
import { OutcomeUnknownError } from '../../base/errors.ts'
import { Gate } from './gate.ts'
import { refuseForeign } from './intact.ts'
import type { Operation } from './operations.ts'
import { type WriterThread, writerThread } from './thread.ts'
import { type Key, MAX_READERS } from './values.ts'
import { within } from './within.ts'

export type Reader = RootDatabase<string, Key>

export interface WriteOptions {
  /** For messages. */
  readonly what: string
  /** For how long to wait for other writers. */
  readonly limitMs: number
  /** For how long to wait for the transaction itself. */
  readonly answerLimitMs: number
  readonly signal?: AbortSignal | undefined
  /** Ends only the wait for other writers; what has been handed over is waited for. */
  readonly whileWaiting?: AbortSignal
}

const shared = new Map<string, { readonly environment: Environment; users: number }>()

/** The one environment of that path; each caller releases it once. `path` is a real path: LMDB goes by its text. */
export function shareEnvironment(path: string, maxBytes: number): Environment {
  const entry = shared.get(path) ?? { environment: new Environment(path, maxBytes), users: 0 }
  entry.users++
  shared.set(path, entry)
  return entry.environment
}

export async function releaseEnvironment(path: string): Promise<void> {
  const entry = shared.get(path)
  if (!entry || --entry.users > 0) return
  shared.delete(path)
  await entry.environment.end()
}

export class Environment {
  readonly #path: string
  readonly #maxBytes: number
  readonly #gate: Gate
  #reader: Promise<Reader>
  #openIn: WriterThread | undefined

  constructor(path: string, maxBytes: number) {
    this.#path = path
    this.#maxBytes = maxBytes
    this.#gate = new Gate(path)
    this.#reader = this.#openReader()
  }

  /** Runs `look` on the newest state, in one snapshot: it must not wait in between. */
  async read<T>(look: (reader: Reader) => T): Promise<T> {
    const reader = await this.#reader
    // Without this a read may see what another process, or the thread, has already replaced.
    reader.resetReadTxn()
    return look(reader)
  }

  /**
   * True: it happened, durably. False: a condition did not hold. Before the thread has it, a wait that ends means that
   * nothing happened; after that nobody can tell, and the gate stays shut until the thread has answered.
   */
  write(
    operation: Operation,
    { what, limitMs, answerLimitMs, signal, whileWaiting = signal }: WriteOptions,
  ): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#gate
        .hold(what, limitMs, whileWaiting, async () => {
          const thread = await this.#writable()
          whileWaiting?.throwIfAborted()
          const answer = thread.call(what, this.#path, operation)
          within(answer, answerLimitMs, signal, () => new OutcomeUnknownError(what)).then(resolve, reject)
          await answer.catch(() => {})
        })
        .catch(reject)
    })
  }

  async end(): Promise<void> {
    await this.#gate.close()
    const reader = await this.#reader.catch(() => undefined)
    await reader?.close()
    if (this.#openIn?.ended === false) await this.#openIn.call('close', this.#path, { kind: 'close' })
  }

  /** The thread, with this catalogue open in it. */
  async #writable(): Promise<WriterThread> {
    const thread = writerThread()
    if (this.#openIn === thread) return thread
    const before = this.#reader
    const opened = (async () => {
      await (await before.catch(() => undefined))?.close()
      await refuseForeign(this.#path, { fresh: true })
      await thread.call('open', this.#path, { kind: 'open', maxBytes: this.#maxBytes })
    })()
    this.#reader = this.#openReader(opened)
    await opened
    this.#openIn = thread
    return thread
  }

  #openReader(after?: Promise<unknown>): Promise<Reader> {
    const opened = Promise.resolve(after)
      .catch(() => {})
      .then(() => refuseForeign(this.#path, { fresh: false }))
      .then(() =>
        open<string, Key>({
          path: this.#path,
          readOnly: true,
          encoding: 'string',
          cache: false,
          maxReaders: MAX_READERS,
        }),
      )
    // Whoever reads is told; perhaps nobody does.
    opened.catch(() => {})
    return opened
  }
}
