/** Keeps the disk busy while a long file is written, so that little is left for the last fsync. */
import { MIB } from './units.ts'

const FLUSH_EVERY_BYTES = 64 * MIB

/** What an open file can do. */
interface Flushable {
  datasync(): Promise<void>
}

export class EarlyFlush {
  readonly #file: Flushable
  #unflushedBytes = 0
  #flushing: Promise<void> | undefined
  #failed: { readonly error: unknown } | undefined

  constructor(file: Flushable) {
    this.#file = file
  }

  /** To be told of each write that has happened. Waits for nothing. */
  wrote(bytes: number): void {
    this.#unflushedBytes += bytes
    if (this.#unflushedBytes < FLUSH_EVERY_BYTES || this.#flushing) return
    this.#unflushedBytes = 0
    this.#flushing = this.#file
      .datasync()
      .catch((error: unknown) => {
        this.#failed ??= { error }
      })
      .finally(() => {
        this.#flushing = undefined
      })
  }

  /** Nothing is under way any more; before the file may be closed. */
  async settled(): Promise<void> {
    await this.#flushing
  }

  /** Throws what an early flush failed with: the kernel tells of a failed write-back once, so it must not be forgotten. */
  async check(): Promise<void> {
    await this.settled()
    if (this.#failed) throw this.#failed.error
  }
}
