/**
 * Cuts a stream of bytes into chunks and stores them, many at a time.
 *
 * A permit is taken before the bytes of a chunk are pulled, so what is in memory is bounded by the limiter whatever
 * the source and the store do. The function returns only when everything that it started has settled.
 */
import { LinkedAbort } from '../base/abort.ts'
import type { Limiter, Priority } from '../limit/limiter.ts'
import type { BlobWriter } from '../stores/contract.ts'
import { BufferPool } from './buffers.ts'
import { ChunkDigests } from './chunk-digests.ts'
import { ChunkReader, type Source } from './chunker.ts'
import { RootDigest } from './digest.ts'
import { HighWaterMark } from './high-water.ts'
import { Tasks } from './tasks.ts'

export interface UploadOptions {
  readonly writer: BlobWriter
  readonly chunkBytes: number
  readonly limiter: Limiter
  readonly priority: Priority
  /** Makes it durable that chunks below this number may exist; called before the first of them is put. */
  readonly reserve: (seqHigh: number) => Promise<void>
  /** Chunks below this number are reserved already. */
  readonly reserved: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((storedBytes: bigint) => void) | undefined
}

export interface Uploaded {
  readonly bytes: bigint
  readonly chunkCount: number
  readonly rootDigest: string
}

export async function upload(source: Source, options: UploadOptions): Promise<Uploaded> {
  const { writer, chunkBytes, limiter, priority } = options
  const stop = new LinkedAbort(options.signal)
  const { signal } = stop
  signal.throwIfAborted()
  const tasks = new Tasks((error) => stop.abort(error))
  const pieces = source(signal)[Symbol.asyncIterator]()
  const reader = new ChunkReader(pieces)
  const buffers = new BufferPool(chunkBytes)
  const digests = new ChunkDigests()
  const root = new RootDigest()
  /** Once the digests of all chunks so far are in the root, in their order. */
  let rooted = Promise.resolve()
  let bytes = 0n
  let storedBytes = 0n
  const mark = new HighWaterMark(options.reserved, options.reserve)
  try {
    for (let seq = 0; ; seq++) {
      const permit = await limiter.acquire(chunkBytes, { priority, signal })
      const buffer = buffers.take()
      const giveBack = (): void => {
        buffers.give(buffer)
        permit.release()
      }
      let length: number
      try {
        length = await reader.fill(buffer)
        if (length > 0) await mark.reach(seq)
        signal.throwIfAborted()
      } catch (error) {
        giveBack()
        throw error
      }
      if (length === 0) {
        giveBack()
        break
      }
      const data = buffer.subarray(0, length)
      const digested = digests.of(data)
      rooted = Promise.all([digested, rooted]).then(([digest]) => root.add(digest))
      bytes += BigInt(length)
      tasks.start(async () => {
        try {
          await writer.put(seq, data, await digested, { signal })
          storedBytes += BigInt(length)
          options.onProgress?.(storedBytes)
        } finally {
          giveBack()
        }
      })
      if (length < chunkBytes) break
    }
    await tasks.settled()
    tasks.check()
    await rooted
    signal.throwIfAborted()
    return { bytes, chunkCount: root.count, rootDigest: root.end() }
  } catch (error) {
    stop.abort(error)
    await tasks.settled()
    // The source may fail once more because it was ended; the first failure is the one to tell.
    await pieces.return?.().catch(() => {})
    tasks.check()
    throw error
  } finally {
    await mark.settled()
    await digests.end()
    stop.leave()
  }
}
