/** Reads one stream's chunks out of its file. An open file outlives its unlink, so a reader needs no lock. */
import { type FileHandle, open } from 'node:fs/promises'
import { errnoOf, TidepoolError } from '../../base/errors.ts'
import { chunkLength } from '../../transfer/manifest.ts'
import type { BlobReader, Chunk, GetOptions, WriteExtent } from '../contract.ts'
import { readAt, readError } from './disk.ts'
import { DIGEST_BYTES, type WritePaths, writePaths } from './layout.ts'

export async function openBlobReader(root: string, write: WriteExtent): Promise<BlobReader> {
  const paths = writePaths(root, write)
  let stream: FileHandle | undefined
  try {
    stream = await open(paths.stream, 'r')
    return new DirectoryReader(write, paths, stream, await open(paths.sums, 'r'))
  } catch (error) {
    await stream?.close()
    if (errnoOf(error) === 'ENOENT')
      throw chunkMissing(write, undefined, `there is no ${stream ? paths.sums : paths.stream}`, error)
    throw readError('open', paths.stream, error)
  }
}

export function chunkMissing(
  write: WriteExtent,
  seq: number | undefined,
  why: string,
  cause?: unknown,
): TidepoolError {
  const what = seq === undefined ? 'its chunks' : `chunk ${seq} of ${write.chunkCount}`
  return new TidepoolError('chunk-missing', `write ${write.writeId}: ${what} can't be read: ${why}`, {
    cause,
    hint: 'It may just have been removed; if the project still lists this write, `tidepool scrub` tells what is damaged.',
    facts: { writeId: write.writeId, ...(seq === undefined ? {} : { seq }) },
  })
}

/** True where the stored digest says that the chunk was never stored: no SHA-256 is all zeros. */
export function isUnset(digests: Buffer, index: number): boolean {
  const start = index * DIGEST_BYTES
  return digests.subarray(start, start + DIGEST_BYTES).equals(UNSET)
}

const UNSET = Buffer.alloc(DIGEST_BYTES)

class DirectoryReader implements BlobReader {
  readonly #write: WriteExtent
  readonly #paths: WritePaths
  readonly #stream: FileHandle
  readonly #sums: FileHandle
  #closing: Promise<unknown> | undefined

  constructor(write: WriteExtent, paths: WritePaths, stream: FileHandle, sums: FileHandle) {
    this.#write = write
    this.#paths = paths
    this.#stream = stream
    this.#sums = sums
  }

  /** There is one copy: `careful` asks the same file again. */
  async get(seq: number, options?: GetOptions): Promise<Chunk> {
    options?.signal?.throwIfAborted()
    const write = this.#write
    const length = chunkLength(write, seq)
    if (!(seq >= 0 && seq < write.chunkCount)) throw new RangeError(`no chunk ${seq} in ${write.chunkCount}`)
    const data = options?.into?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length)
    const digest = Buffer.allocUnsafe(DIGEST_BYTES)
    const reads = [
      readAt(this.#stream, data, seq * write.chunkBytes),
      readAt(this.#sums, digest, seq * DIGEST_BYTES),
    ] as const
    // Both to their end, whatever becomes of one: after this nobody may still be writing into the buffer.
    await Promise.allSettled(reads)
    let got: number
    let summed: number
    let last: { size: bigint } | undefined
    try {
      ;[got, summed] = await Promise.all(reads)
      if (seq === write.chunkCount - 1) last = await this.#stream.stat({ bigint: true })
    } catch (error) {
      throw readError('read', this.#paths.stream, error)
    }
    options?.signal?.throwIfAborted()
    if (summed < DIGEST_BYTES || isUnset(digest, 0))
      throw chunkMissing(write, seq, 'no digest of it is stored')
    if (got < length) throw chunkMissing(write, seq, `${got} of its ${length} bytes are there`)
    if (last && last.size > write.bytes)
      throw chunkMissing(write, seq, `its file goes on to ${last.size} of ${write.bytes} bytes`)
    return { data, digest }
  }

  async close(): Promise<void> {
    this.#closing ??= Promise.all([this.#stream.close(), this.#sums.close()])
    await this.#closing
  }
}
