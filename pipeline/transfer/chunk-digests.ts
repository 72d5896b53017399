/** SHA-256 of the chunks of one transfer: of a long one in a thread of its own, beside the one that moves the bytes. */
import { MIB } from '../base/units.ts'
import { digestOf } from './digest.ts'
import { DigestThread, isShared } from './digest-thread.ts'

/** What is shorter is over before a thread would have begun. */
const ALONE_BYTES = 32 * MIB

export class ChunkDigests {
  #bytes = 0
  #thread: DigestThread | undefined

  /** Nobody changes `data` meanwhile; only what is in a buffer of `BufferPool` can be seen by the thread. */
  of(data: Buffer): Promise<Buffer> {
    this.#bytes += data.length
    if (this.#bytes <= ALONE_BYTES || !isShared(data)) return Promise.resolve(digestOf(data))
    this.#thread ??= DigestThread.take()
    return this.#thread.digest(data)
  }

  /** Once, when nothing is asked for any more. */
  async end(): Promise<void> {
    await this.#thread?.leave()
  }
}
