/** A kept stream that is open for reading; as long as it is, it is not removed. */
import type { FileHandle } from 'node:fs/promises'
import type { Chunk, WriteExtent } from '../contract.ts'
import { readChunk } from './file.ts'

export class CachedStream {
  readonly #file: FileHandle
  readonly #write: WriteExtent
  readonly #digests: Buffer
  readonly #onClose: (spoiled: boolean) => Promise<void>
  #spoiled = false
  #closed = false

  constructor(
    file: FileHandle,
    write: WriteExtent,
    digests: Buffer,
    onClose: (spoiled: boolean) => Promise<void>,
  ) {
    this.#file = file
    this.#write = write
    this.#digests = digests
    this.#onClose = onClose
  }

  /** Undefined where it can't be read any more. */
  async read(seq: number, into?: Buffer): Promise<Chunk | undefined> {
    try {
      return await readChunk(this.#file, this.#write, this.#digests, seq, into)
    } catch {
      return undefined
    }
  }

  /** What was read did not match: once nobody reads it any more it is removed. */
  spoil(): void {
    this.#spoiled = true
  }

  /** May be called twice; never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#file.close().catch(() => {})
    await this.#onClose(this.#spoiled)
  }
}
