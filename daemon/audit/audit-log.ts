/**
 * Who did what: one line of JSON an entry, only ever appended, for root's eyes alone. A disk that is full does not keep a daemon
 * from serving: what could not be written is counted, and the count is the first line that can be written again. Only what
 * asks for it (`require`) is refused where it can't be logged.
 */
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf, messageOf, TidepoolError } from '../../pipeline/base/errors.ts'

export interface AuditEntry {
  /** The verb, or what else happened: `token`, `refused`. */
  readonly what: string
  readonly project: string | null
  readonly principal: string
  /** By which way it came: a socket, an address, a touch. */
  readonly origin: string
  readonly operation: string | null
  readonly result: 'begun' | 'done' | 'failed' | 'cancelled' | 'refused'
  /** Of a failure. */
  readonly code?: string
  /** What was asked with. Secrets are never in it. */
  readonly request?: unknown
}

/** A disk that hangs must not gather entries in memory. */
const MAX_WAITING = 1000
const REQUIRED_LIMIT_MS = 10_000

export class AuditLog {
  readonly path: string
  readonly #nowMs: () => number
  #file: FileHandle | undefined
  #inode: bigint | undefined
  /** Whether the last line may have no end: then the next begins with one. */
  #torn = true
  #lost = 0
  #lostNow = 0
  #waiting = 0
  #error: unknown
  #last: Promise<void> = Promise.resolve()

  constructor(path: string, nowMs: () => number = Date.now) {
    this.path = path
    this.#nowMs = nowMs
  }

  /** Entries that were not written since the start, and why the last one was not. */
  get lost(): { readonly count: number; readonly error: unknown } {
    return { count: this.#lost, error: this.#error }
  }

  /** Returns at once, never throws. */
  note(entry: AuditEntry): void {
    this.#add(entry, false).catch(() => {})
  }

  /** Resolves once it is on the disk; rejects with `audit-failed`. */
  async require(entry: AuditEntry): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the disk did not answer in time')), REQUIRED_LIMIT_MS)
    })
    try {
      await Promise.race([this.#add(entry, true), late])
    } catch (cause) {
      throw new TidepoolError(
        'audit-failed',
        `${entry.what} was not begun: it can't be logged in ${this.path}: ${messageOf(cause)}`,
        { cause, temporary: true, hint: 'Make room on that disk; opens, saves and reads go on meanwhile.' },
      )
    } finally {
      clearTimeout(timer)
    }
  }

  /** Resolves when what was noted is written, or lost. */
  async close(): Promise<void> {
    await this.#last
    await this.#file?.close()
    this.#file = undefined
  }

  #add(entry: AuditEntry, durable: boolean): Promise<void> {
    if (this.#waiting >= MAX_WAITING) {
      this.#lose(new Error(`${MAX_WAITING} entries wait for the disk already`))
      return Promise.reject(this.#error)
    }
    const at = new Date(this.#nowMs()).toISOString()
    const line = lineOf({ at, ...entry })
    this.#waiting++
    const written = this.#last.then(async () => {
      try {
        const file = await this.#opened()
        const lost = this.#lostNow
        const before = lost === 0 ? '' : lineOf({ at, what: 'lost', entries: lost })
        await this.#append(file, before + line)
        this.#lostNow -= lost
        if (durable) await file.datasync()
      } catch (error) {
        this.#lose(error)
        throw error
      } finally {
        this.#waiting--
      }
    })
    this.#last = written.catch(() => {})
    return written
  }

  #lose(error: unknown): void {
    this.#lost++
    this.#lostNow++
    this.#error = error
  }

  async #append(file: FileHandle, text: string): Promise<void> {
    const bytes = Buffer.from(this.#torn ? `\n${text}` : text)
    this.#torn = true
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
    this.#torn = false
  }

  /** The file that has the name now: one that was renamed, to be rotated, is let go, and a new one begun. */
  async #opened(): Promise<FileHandle> {
    const there = await stat(this.path, { bigint: true }).catch(() => undefined)
    if (this.#file && there?.ino === this.#inode) return this.#file
    await this.#file?.close()
    this.#file = undefined
    const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants
    const make = () => open(this.path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600)
    const file = await make().catch(async (error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 })
      return make()
    })
    const { ino, size } = await file.stat({ bigint: true })
    this.#file = file
    this.#inode = ino
    // What an earlier start left may end in the middle of a line.
    this.#torn = size > 0n
    return file
  }
}

const lineOf = (value: object): string =>
  `${JSON.stringify(value, (_key, each) => (typeof each === 'bigint' ? String(each) : each))}\n`
