/**
 * The bytes of a write, in order, read ahead, every chunk verified, and the root digest before the end is signalled:
 * a consumer that saw the end has the very bytes that were committed.
 */
import { LinkedAbort } from '../base/abort.ts'
import { codeOf, TidepoolError } from '../base/errors.ts'
import { MIB } from '../base/units.ts'
import type { Limiter, Priority } from '../limit/limiter.ts'
import type { BlobReader, BlobStore, Chunk, GetOptions, WriteExtent } from '../stores/contract.ts'
import { BufferPool } from './buffers.ts'
import { ChunkDigests } from './chunk-digests.ts'
import { RootDigest } from './digest.ts'

export interface DownloadOptions {
  readonly limiter: Limiter
  readonly priority: Priority
  readonly signal?: AbortSignal | undefined
  /** How many chunks may be read ahead: a consumer that stands still must not hold what others need. */
  readonly readAhead?: number
}

export interface CommittedExtent extends WriteExtent {
  readonly rootDigest: string
}

interface Fetched {
  readonly chunk: Chunk
  /** The permit, and the buffer that the chunk may be in. */
  readonly giveBack: () => void
}

/** One chunk that comes late holds up all behind it: with 8 MiB ahead a single node brought a fifth less. */
const READ_AHEAD_BYTES = 16 * MIB

/** Yields each chunk's bytes; a buffer is the consumer's until it asks for the next. */
export async function* download(
  blobs: Pick<BlobStore, 'open'>,
  write: CommittedExtent,
  options: DownloadOptions,
): AsyncGenerator<Buffer, void> {
  const { limiter, priority } = options
  const readAhead = options.readAhead ?? Math.max(2, Math.ceil(READ_AHEAD_BYTES / write.chunkBytes))
  const stop = new LinkedAbort(options.signal)
  const { signal } = stop
  signal.throwIfAborted()
  const root = new RootDigest()
  const reader = await blobs.open(write, { signal })
  const buffers = new BufferPool(write.chunkBytes)
  const digests = new ChunkDigests()
  const ahead: Promise<Fetched>[] = []
  let next = 0
  const fetchNext = (): void => {
    const fetched = fetch(reader, write, next++, { limiter, priority, signal, buffers, digests })
    // It is awaited in its turn; a failure before that must not count as unhandled.
    fetched.catch(() => {})
    ahead.push(fetched)
  }
  try {
    for (let seq = 0; seq < write.chunkCount; seq++) {
      while (next < write.chunkCount && ahead.length < readAhead) fetchNext()
      const { chunk, giveBack } = await (ahead[0] as Promise<Fetched>)
      ahead.shift()
      try {
        root.add(chunk.digest)
        yield chunk.data
      } finally {
        giveBack()
      }
    }
    const rootDigest = root.end()
    if (rootDigest !== write.rootDigest)
      throw damaged(write, `its chunks have root digest ${rootDigest}, its manifest says ${write.rootDigest}`)
  } finally {
    stop.abort(new TidepoolError('download-left', `the download of write ${write.writeId} was left`))
    for (const fetched of await Promise.allSettled(ahead))
      if (fetched.status === 'fulfilled') fetched.value.giveBack()
    await digests.end()
    await reader.close()
    stop.leave()
  }
}

/**
 * Each chunk queues for its own permit and the first in line is the next that is consumed, so two downloads that
 * share a limiter can never each hold what the other waits for.
 */
async function fetch(
  reader: BlobReader,
  write: WriteExtent,
  seq: number,
  {
    limiter,
    priority,
    signal,
    buffers,
    digests,
  }: Pick<DownloadOptions, 'limiter' | 'priority'> & {
    readonly signal: AbortSignal
    readonly buffers: BufferPool
    readonly digests: ChunkDigests
  },
): Promise<Fetched> {
  const permit = await limiter.acquire(write.chunkBytes, { priority, signal })
  const into = buffers.take()
  const giveBack = (): void => {
    buffers.give(into)
    permit.release()
  }
  try {
    return { chunk: await verified(reader, write, seq, digests, { signal, into }), giveBack }
  } catch (error) {
    giveBack()
    throw error
  }
}

/** A chunk whose bytes are those that were put: looked at twice, the second time among more copies. */
async function verified(
  reader: BlobReader,
  write: WriteExtent,
  seq: number,
  digests: ChunkDigests,
  options: GetOptions,
): Promise<Chunk> {
  try {
    const chunk = await reader.get(seq, options)
    if ((await digests.of(chunk.data)).equals(chunk.digest)) return chunk
  } catch (error) {
    if (codeOf(error) !== 'chunk-missing') throw error
  }
  const chunk = await reader.get(seq, { ...options, careful: true })
  if ((await digests.of(chunk.data)).equals(chunk.digest)) return chunk
  throw damaged(write, `the bytes of chunk ${seq} are not those that were stored`)
}

function damaged(write: WriteExtent, why: string): TidepoolError {
  return new TidepoolError('write-damaged', `write ${write.writeId} of ${write.project} is damaged: ${why}`, {
    hint: `\`tidepool stream verify --write ${write.writeId}\` tells which chunks; another path to the same point may be whole.`,
    facts: { project: write.project, writeId: write.writeId },
  })
}
