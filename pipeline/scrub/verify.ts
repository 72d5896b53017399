/**
 * Reads a committed write, all of it or a sample, and compares: each chunk with the digest stored beside it, all
 * digests together with the manifest. What does not match is looked at a second time among more copies.
 */
import { createHash } from 'node:crypto'
import { LinkedAbort } from '../base/abort.ts'
import { codeOf } from '../base/errors.ts'
import type { ProjectId } from '../base/ids.ts'
import { MIB } from '../base/units.ts'
import type { WriteRow } from '../graph/state.ts'
import { fixedLimiter, type Limiter } from '../limit/limiter.ts'
import type { BlobReader, CallOptions, Store, WriteExtent } from '../stores/contract.ts'
import { digestOf, RootDigest } from '../transfer/digest.ts'
import { chunkLength } from '../transfer/manifest.ts'
import { checkPresent } from './present.ts'
import { checkedExtent, isStillCommitted, ReportBuilder, type WriteReport } from './report.ts'

export interface VerifyOptions extends CallOptions {
  /** Which part of the chunks is read, from 0 to 1; of the rest it is only looked whether they are there. */
  readonly sample?: number
  /** Which chunks a sample takes: the same with the same seed. */
  readonly seed?: string
  /** After each chunk that was read. */
  readonly onProgress?: (progress: { readonly chunks: number; readonly bytes: bigint }) => void
  readonly limiter?: Limiter
}

/** Enough that the next chunks are on their way while one is hashed; all of it counts as scrub's, behind all other work. */
const READ_AHEAD_BYTES = 8 * MIB

interface Looked {
  readonly state: 'whole' | 'late' | 'missing' | 'damaged'
  readonly digest: Buffer | null
}

/** Throws where it could not look; settles all its reads before it returns. */
export async function verifyWrite(
  store: Pick<Store, 'blobs' | 'catalogue'>,
  project: ProjectId,
  row: WriteRow,
  options: VerifyOptions = {},
): Promise<WriteReport> {
  const { sample = 1, seed = '' } = options
  if (!(sample >= 0 && sample <= 1)) throw new RangeError(`${sample} is no part of the chunks`)
  const extent = checkedExtent(project, row)
  if (typeof extent === 'string' || sample < 1) {
    const present = await checkPresent(store, project, row, options)
    if (typeof extent === 'string' || present.outcome !== 'whole') return present
  }
  const report = new ReportBuilder()
  const chunks = sampled(extent, row, sample, seed)
  await readAll(store, extent, row, chunks, report, options)
  if (report.isClean) return report.end('whole')
  const still = await isStillCommitted(store.catalogue, project, row, options)
  return report.end(still ? 'damaged' : 'gone')
}

/** Drawn for each chunk by itself, so that no list of them is ever held. */
function* sampled(extent: WriteExtent, row: WriteRow, sample: number, seed: string): Generator<number, void> {
  for (let seq = 0; seq < extent.chunkCount; seq++)
    if (sample === 1 || draw(`${seed}/${row.writeId}/${seq}`) < sample) yield seq
}

function draw(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32
}

async function readAll(
  store: Pick<Store, 'blobs' | 'catalogue'>,
  extent: WriteExtent,
  row: WriteRow,
  chunks: Generator<number, void>,
  report: ReportBuilder,
  options: VerifyOptions,
): Promise<void> {
  const stop = new LinkedAbort(options.signal)
  const { signal } = stop
  const limiter = options.limiter ?? fixedLimiter({ count: 8, maxBytes: 4 * READ_AHEAD_BYTES })
  const width = Math.max(2, Math.ceil(READ_AHEAD_BYTES / extent.chunkBytes))
  const root = new RootDigest()
  const ahead: { seq: number; looked: Promise<Looked> }[] = []
  let reader: BlobReader | undefined
  let readChunks = 0
  let readBytes = 0n
  try {
    reader = await openOrNone(store, extent, signal)
    for (;;) {
      for (let next = chunks.next(); !next.done; next = chunks.next()) {
        const looked = look(reader, extent, next.value, limiter, signal)
        // It is awaited in its turn; a failure before that must not count as unhandled.
        looked.catch(() => {})
        ahead.push({ seq: next.value, looked })
        if (ahead.length >= width) break
      }
      const first = ahead[0]
      if (!first) break
      const { state, digest } = await first.looked
      ahead.shift()
      if (state === 'late') report.late()
      else if (state !== 'whole') report[state](first.seq)
      if (digest) root.add(digest)
      const bytes = digest ? chunkLength(extent, first.seq) : 0
      report.looked(1, bytes)
      readBytes += BigInt(bytes)
      options.onProgress?.({ chunks: ++readChunks, bytes: readBytes })
    }
    report.rootDiffers =
      report.isClean && root.count === extent.chunkCount && root.end() !== row.manifest?.rootDigest
  } finally {
    stop.abort(new Error('the verification was left'))
    await Promise.allSettled(ahead.map(({ looked }) => looked))
    await reader?.close()
    stop.leave()
  }
}

/** Undefined where it is plain that nothing of the write is there. */
async function openOrNone(
  { blobs }: Pick<Store, 'blobs'>,
  extent: WriteExtent,
  signal: AbortSignal,
): Promise<BlobReader | undefined> {
  try {
    return await blobs.open(extent, { signal })
  } catch (error) {
    if (codeOf(error) === 'chunk-missing') return undefined
    throw error
  }
}

async function look(
  reader: BlobReader | undefined,
  extent: WriteExtent,
  seq: number,
  limiter: Limiter,
  signal: AbortSignal,
): Promise<Looked> {
  if (!reader) return { state: 'missing', digest: null }
  const permit = await limiter.acquire(extent.chunkBytes, { priority: 'scrub', signal })
  try {
    const quick = await lookOnce(reader, seq, false, signal)
    if (quick.state === 'whole') return quick
    const careful = await lookOnce(reader, seq, true, signal)
    return careful.state === 'whole' ? { ...careful, state: 'late' } : careful
  } finally {
    permit.release()
  }
}

async function lookOnce(
  reader: BlobReader,
  seq: number,
  careful: boolean,
  signal: AbortSignal,
): Promise<Looked> {
  try {
    const { data, digest } = await reader.get(seq, { signal, careful })
    return digestOf(data).equals(digest) ? { state: 'whole', digest } : { state: 'damaged', digest: null }
  } catch (error) {
    if (codeOf(error) === 'chunk-missing') return { state: 'missing', digest: null }
    throw error
  }
}
