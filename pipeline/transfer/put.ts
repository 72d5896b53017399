/**
 * Puts one send stream into a project: intent, chunks, commit. The stream is followed as it flows; what is not exactly
 * one whole stream, or was interrupted anywhere, is aborted, its chunks removed, and never committed.
 */
import { LinkedAbort } from '../base/abort.ts'
import { allOf } from '../base/all-of.ts'
import { OutcomeUnknownError, TidepoolError } from '../base/errors.ts'
import { type HostId, newWriteId, type ProjectId, type SessionId, type WriteId } from '../base/ids.ts'
import { commitAttempt } from '../graph/commit.ts'
import type { NeededOptions } from '../graph/needed.ts'
import { type Placement, placementOf } from '../graph/placement.ts'
import { unresolvedWrites } from '../graph/resolve.ts'
import { readProject } from '../graph/settle.ts'
import type { Project, WriteRow } from '../graph/state.ts'
import type { Limiter, Priority } from '../limit/limiter.ts'
import type { Store } from '../stores/contract.ts'
import { inspect } from '../stream/inspect.ts'
import { type StreamBegin, StreamParser } from '../stream/parser.ts'
import type { Source } from './chunker.ts'
import { cleanUp, committedAfterAll } from './clean-up.ts'
import { intend, reserve } from './intent.ts'
import { MANIFEST_VERSION, type Manifest } from './manifest.ts'
import { upload } from './upload.ts'

export interface PutOptions {
  readonly store: Store
  readonly limiter: Limiter
  readonly priority?: Priority
  /** What earlier attempts of this session left writing is ended before. Only its owner moves its head. */
  readonly project: ProjectId
  readonly host: HostId
  readonly session: SessionId
  /** @default the store's */
  readonly chunkBytes?: number | undefined
  /** Decides whether the stream's end becomes the head. @default `placementOf` */
  readonly place?: (project: Project, begin: StreamBegin) => Placement
  /**
   * What has to hold of where the stream came from, looked at after its end and while the store makes it durable. Where it
   * rejects, nothing is committed.
   */
  readonly verify?: (signal: AbortSignal) => Promise<void>
  readonly retention?: NeededOptions
  readonly usage?: Manifest['usage']
  readonly treeDigest?: string
  readonly signal?: AbortSignal | undefined
  readonly onBegin?: (begin: StreamBegin, writeId: WriteId) => void
  readonly onProgress?: (storedBytes: bigint) => void
  /** All of it is stored; what is left is the commit. */
  readonly onSealed?: () => void
}

export interface Put {
  readonly writeId: WriteId
  readonly placement: Placement
  readonly manifest: Manifest
  readonly from: WriteRow['from']
  readonly to: WriteRow['to']
  /** The project in which it is committed. */
  readonly project: Project
}

/** A short stream needs no second mark, a long one few. */
const FIRST_SEQ_HIGH = 64

export async function putStream(source: Source, options: PutOptions): Promise<Put> {
  const stop = new LinkedAbort(options.signal)
  const { signal } = stop
  signal.throwIfAborted()
  const parser = new StreamParser()
  const pieces = inspect(source(signal), parser)
  try {
    // The stream says in its first record what it is; until then the store hears nothing of it.
    const first = await pieces.next()
    const begin = parser.begin
    if (first.done || !begin)
      throw new TidepoolError('stream-empty', 'the stream ended before its first record')
    return await putParsed({ parser, begin, first: first.value, pieces, stop }, { ...options, signal })
  } catch (error) {
    stop.abort(error)
    // The source may fail once more because it was ended; the first failure is the one to tell.
    await pieces.return(undefined as never).catch(() => {})
    throw options.signal?.aborted ? options.signal.reason : error
  } finally {
    stop.leave()
  }
}

/** A stream whose first record was read, and how to end its source. */
interface Opened {
  readonly parser: StreamParser
  readonly begin: StreamBegin
  readonly first: Uint8Array
  readonly pieces: AsyncGenerator<Uint8Array>
  readonly stop: LinkedAbort
}

async function putParsed(opened: Opened, options: PutOptions & { signal: AbortSignal }): Promise<Put> {
  const { parser, begin } = opened
  const { store, limiter, priority = 'save', host, session, signal } = options
  const { blobs, catalogue } = store
  const [read] = await allOf([
    readProject(catalogue, options.project, { signal }),
    requireReceivable(store, begin, signal),
  ])
  const planned = await resolved(store, read, options)
  const placement = (options.place ?? defaultPlace)(planned, begin)
  const chunkBytes = options.chunkBytes ?? blobs.defaultChunkBytes
  const nowMs = await catalogue.nowMs({ signal })
  const row: WriteRow = {
    writeId: newWriteId(),
    from: begin.fromGuid,
    to: begin.toGuid,
    host,
    session,
    side: placement !== 'head',
    state: 'writing',
    chunkBytes,
    seqHigh: FIRST_SEQ_HIGH,
    begunAtMs: nowMs,
    changedAtMs: nowMs,
    committedAtMs: null,
    manifest: null,
  }
  const write = { project: planned.id, writeId: row.writeId, chunkBytes }
  await catalogue.noteWriting(host, { project: planned.id, row }, { signal })
  try {
    await intend(store, planned, row, signal)
    options.onBegin?.(begin, row.writeId)
    const writer = await blobs.create(write, { signal })
    let manifest: Manifest
    try {
      const uploaded = await upload((ending) => continued(opened, ending), {
        writer,
        chunkBytes,
        limiter,
        priority,
        reserved: FIRST_SEQ_HIGH,
        reserve: (seqHigh) => reserve(store, planned, row, seqHigh, signal),
        signal,
        onProgress: options.onProgress,
      })
      await allOf([writer.seal({ signal }), options.verify?.(signal) ?? Promise.resolve()])
      manifest = manifestOf(uploaded, chunkBytes, parser, options)
    } finally {
      await writer.close()
    }
    options.onSealed?.()
    const project = await commitAttempt(catalogue, {
      writeId: row.writeId,
      manifest,
      planned,
      stillAllowed: (now) => stillAllowed(now, begin, placement, options),
      ...(options.retention && { retention: options.retention }),
      signal,
    })
    await afterCommit(store, planned.id, row, nowMs, signal)
    return { writeId: row.writeId, placement, manifest, from: row.from, to: row.to, project }
  } catch (error) {
    await cleanUp(store, planned.id, row)
    const late = await committedAfterAll(store, planned.id, row.writeId)
    if (!late) throw error
    return { writeId: row.writeId, placement, ...late, from: row.from, to: row.to }
  }
}

const defaultPlace = (project: Project, begin: StreamBegin): Placement =>
  placementOf(project, begin.fromGuid, begin.toGuid)

/** A store knows what its hosts can receive; what none could open again must not be its only copy. */
async function requireReceivable(store: Store, begin: StreamBegin, signal: AbortSignal): Promise<void> {
  const { receivable } = await store.catalogue.info({ signal })
  const foreign = receivable ? begin.features.filter((feature) => !receivable.includes(feature)) : []
  if (foreign.length > 0)
    throw new TidepoolError(
      'features-not-receivable',
      `the stream uses ${foreign.join(', ')}, which not every host of this store can receive`,
      {
        hint: 'Send it without those features, or let them in: `tidepool store receivable` says which hosts can receive them.',
      },
    )
}

function stillAllowed(
  now: Project,
  begin: StreamBegin,
  placement: Placement,
  options: PutOptions,
): string | undefined {
  // What becomes no head takes nothing from whoever owns the project now.
  if (placement === 'head' && now.statics.owner !== options.host)
    return 'this host no longer owns the project'
  const place = (options.place ?? defaultPlace)(now, begin)
  return place === placement
    ? undefined
    : `the project has moved: the stream would now be ${place}, not ${placement}`
}

/** The whole stream again. A store that fails must also end a source that is silent. */
async function* continued({ first, pieces, stop }: Opened, ending: AbortSignal): AsyncGenerator<Uint8Array> {
  ending.addEventListener('abort', () => stop.abort(ending.reason), { once: true })
  yield first
  yield* pieces
}

/** The project once nothing of this host is left half-done in it. */
async function resolved(store: Store, project: Project, options: PutOptions): Promise<Project> {
  const unresolved = unresolvedWrites(project, options)
  for (const row of unresolved)
    if ((await cleanUp(store, project.id, row)) === 'unknown')
      throw new OutcomeUnknownError(`end of write ${row.writeId}`)
  return unresolved.length === 0 ? project : readProject(store.catalogue, project.id, options)
}

function manifestOf(
  uploaded: Awaited<ReturnType<typeof upload>>,
  chunkBytes: number,
  parser: StreamParser,
  { usage, treeDigest }: PutOptions,
): Manifest {
  const facts = parser.end()
  if (facts.bytes !== uploaded.bytes)
    throw new TidepoolError(
      'bytes-differ',
      `${facts.bytes} bytes were followed, but ${uploaded.bytes} stored`,
    )
  return {
    version: MANIFEST_VERSION,
    codec: 'none',
    ...uploaded,
    chunkBytes,
    stream: {
      toName: facts.toName,
      createdAtMs: facts.createdAtMs,
      byteOrder: facts.byteOrder,
      features: [...facts.features],
      logicalBytes: facts.logicalBytes,
      records: { ...facts.records },
    },
    ...(usage && { usage }),
    ...(treeDigest !== undefined && { treeDigest }),
  }
}

/** Neither of these decides anything: a follower reads the projects too, and an entry that stays is cleared by scrub. */
async function afterCommit(
  store: Store,
  project: ProjectId,
  row: WriteRow,
  atMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { catalogue } = store
  await Promise.allSettled([
    catalogue.log({ atMs, project, writeId: row.writeId, what: 'committed' }, { signal }),
    catalogue.forgetWriting(row.host, row.writeId, { signal }),
  ])
}
