/** A stream that is being kept: its chunks in order, and once all of it is known to be right, its name. */

import type { FileHandle } from 'node:fs/promises'
import { writeWhole } from '../../base/write-whole.ts'
import { DIGEST_BYTES } from '../../transfer/digest.ts'
import type { WriteExtent } from '../contract.ts'

export interface CacheWriterHooks {
  /** Gives the finished file its name. */
  readonly keep: () => Promise<void>
  /** Removes it, and gives back the room that was reserved for it. */
  readonly drop: () => Promise<void>
  readonly tell: (error: unknown) => void
}

/** None of its calls rejects: a disk that is full ends the keeping of this stream and nothing else. */
export class CacheWriter {
  readonly #file: FileHandle
  readonly #write: WriteExtent
  readonly #hooks: CacheWriterHooks
  readonly #digests: Buffer
  #count = 0
  #state: 'open' | 'failed' | 'closed' = 'open'
  #isKept = false

  constructor(file: FileHandle, write: WriteExtent, hooks: CacheWriterHooks) {
    this.#file = file
    this.#write = write
    this.#hooks = hooks
    this.#digests = Buffer.alloc(write.chunkCount * DIGEST_BYTES)
  }

  /** The next chunk; done with it when this resolves, and one at a time. */
  add(data: Buffer, digest: Buffer): Promise<void> {
    const seq = this.#count++
    digest.copy(this.#digests, seq * DIGEST_BYTES)
    return this.#orFail(() => writeWhole(this.#file, data, seq * this.#write.chunkBytes))
  }

  /** The root digest over all that was added was found to be the write's. Not made durable: a torn file is found out. */
  keep(): Promise<void> {
    return this.#orFail(async () => {
      await writeWhole(this.#file, this.#digests, Number(this.#write.bytes))
      await this.#file.close()
      await this.#hooks.keep()
      this.#isKept = true
    })
  }

  /** Nothing of it is left unless it was kept. May be called twice. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    await this.#file.close().catch(() => {})
    try {
      if (!this.#isKept) await this.#hooks.drop()
    } catch (error) {
      this.#hooks.tell(error)
    }
  }

  async #orFail(act: () => Promise<void>): Promise<void> {
    if (this.#state !== 'open') return
    try {
      await act()
    } catch (error) {
      // Once it was left, its file is closed under it, and that is no failure.
      if (this.#state !== 'open') return
      this.#state = 'failed'
      this.#hooks.tell(error)
    }
  }
}
