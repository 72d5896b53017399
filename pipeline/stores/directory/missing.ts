/** Which chunks of a write are not there: by its file's length and by the digests, without a look at the chunks. */
import { type FileHandle, open } from 'node:fs/promises'
import { errnoOf } from '../../base/errors.ts'
import { chunkLength } from '../../transfer/manifest.ts'
import type { CallOptions, WriteExtent } from '../contract.ts'
import { isUnset } from './blob-reader.ts'
import { readAt, readError } from './disk.ts'
import { DIGEST_BYTES, writePaths } from './layout.ts'

const PAGE_CHUNKS = 2048

export async function* missingChunks(
  root: string,
  write: WriteExtent,
  { signal }: CallOptions = {},
): AsyncGenerator<number, void, undefined> {
  const paths = writePaths(root, write)
  let stream: FileHandle | undefined
  let sums: FileHandle | undefined
  try {
    stream = await openIfThere(paths.stream)
    sums = await openIfThere(paths.sums)
    const size = (await stream?.stat({ bigint: true }))?.size ?? 0n
    const page = Buffer.alloc(PAGE_CHUNKS * DIGEST_BYTES)
    for (let first = 0; first < write.chunkCount; first += PAGE_CHUNKS) {
      signal?.throwIfAborted()
      page.fill(0)
      if (sums) await readAt(sums, page, first * DIGEST_BYTES)
      const end = Math.min(first + PAGE_CHUNKS, write.chunkCount)
      for (let seq = first; seq < end; seq++)
        if (isUnset(page, seq - first) || !hasItsLength(write, seq, size)) yield seq
    }
  } catch (error) {
    throw readError('look at', paths.stream, error)
  } finally {
    await stream?.close()
    await sums?.close()
  }
}

function hasItsLength(write: WriteExtent, seq: number, size: bigint): boolean {
  const end = BigInt(seq) * BigInt(write.chunkBytes) + BigInt(chunkLength(write, seq))
  return size >= end && (seq < write.chunkCount - 1 || size === end)
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
