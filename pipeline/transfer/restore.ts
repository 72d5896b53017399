/**
 * Brings a point back: the cheapest path of streams, each handed over to a receiver, planned again when the graph
 * changed under the reader (rule 11). Readers take no pins; what was received already is kept and built on.
 */
import { codeOf, TidepoolError } from '../base/errors.ts'
import type { Guid, ProjectId } from '../base/ids.ts'
import { cheapestPaths, type EdgeCost } from '../graph/plan.ts'
import { EVERY_RULE, type Rules } from '../graph/rules.ts'
import { readProject } from '../graph/settle.ts'
import type { Life, Project, WriteRow } from '../graph/state.ts'
import type { Limiter, Priority } from '../limit/limiter.ts'
import type { Store } from '../stores/contract.ts'
import type { Download } from './cached-download.ts'
import { type CommittedExtent, download } from './download.ts'

/** Takes one whole stream. What it has taken when it resolves counts as received; what it throws is thrown on. */
export type Receive = (row: WriteRow, bytes: AsyncIterable<Uint8Array>) => Promise<void>

export interface RestoreOptions {
  readonly store: Store
  readonly limiter: Limiter
  readonly priority?: Priority
  readonly project: ProjectId
  /** @default the head as it is when planned, also when planned again */
  readonly to?: Guid
  /** Snapshots that the receiver has already. */
  readonly have?: Iterable<Guid>
  /** In which of its lives the project may be read. @default live alone */
  readonly lives?: readonly Life[]
  readonly cost?: EdgeCost
  readonly receive: Receive
  /** Hears which streams will be received, again each time that this was planned anew. */
  readonly onPlan?: (path: readonly WriteRow[]) => void
  /** How a write's bytes are had. @default from the store */
  readonly download?: Download
  readonly signal?: AbortSignal | undefined
  readonly rules?: Rules
}

const REPLANS = 3

/** Resolves with the point that the receiver now has; null for a project that has no point yet. */
export async function restore(options: RestoreOptions): Promise<Guid | null> {
  const { receive, rules = EVERY_RULE } = options
  const have = new Set(options.have)
  for (let replans = 0; ; replans++) {
    const project = await readLive(options)
    const to = options.to ?? project.statics.head
    if (to === null) return null
    try {
      const path = pathTo(project, to, have, options)
      options.onPlan?.(path)
      await receivePath(options, path, receive, have)
      return to
    } catch (error) {
      if (!(error instanceof LostWhileReading) || !rules.replan)
        throw error instanceof LostWhileReading ? error.cause : error
      if (await isStillCommitted(options, error.row)) throw error.cause
      if (replans === REPLANS)
        throw new TidepoolError(
          'project-busy',
          `project ${project.id} changed ${REPLANS + 1} times while it was read`,
          {
            temporary: true,
            cause: error.cause,
            hint: 'Try again later: what was received stays and is built on.',
          },
        )
    }
  }
}

/** The manifest's part that a download needs. */
export function extentOf(project: ProjectId, row: WriteRow): CommittedExtent {
  if (!row.manifest)
    throw new TidepoolError(
      'write-not-committed',
      `write ${row.writeId} of ${project} is ${row.state}: there is nothing to read`,
      {
        hint: `\`tidepool stream ls ${project}\` lists the writes that can be read.`,
      },
    )
  const { bytes, chunkBytes, chunkCount, rootDigest } = row.manifest
  return { project, writeId: row.writeId, bytes, chunkBytes, chunkCount, rootDigest }
}

const mayBeRead = ({ statics }: Project, { lives = ['live'] }: RestoreOptions): boolean =>
  lives.includes(statics.life)

async function readLive(options: RestoreOptions): Promise<Project> {
  const project = await readProject(options.store.catalogue, options.project, options)
  if (!mayBeRead(project, options))
    throw new TidepoolError('project-gone', `project ${project.id} is ${project.statics.life}`, {
      hint: 'A destroyed project can be read again after an undelete.',
    })
  return project
}

function pathTo(project: Project, to: Guid, have: Set<Guid>, { cost }: RestoreOptions): WriteRow[] {
  const path = cheapestPaths(project.rows.values(), { from: have, ...(cost && { cost }) }).to(to)
  if (!path)
    throw new TidepoolError('point-unknown', `no committed streams of ${project.id} lead to point ${to}`, {
      hint: `\`tidepool stream graph ${project.id}\` shows the points that there are.`,
    })
  return path
}

/** The store lost the write under the reader; whether that is damage, the project tells. */
class LostWhileReading extends Error {
  readonly row: WriteRow

  constructor(row: WriteRow, cause: unknown) {
    super('lost while reading', { cause })
    this.row = row
  }
}

/** A stream that is being fetched, its first chunks perhaps before anybody reads them. */
interface Fetch {
  readonly pieces: AsyncGenerator<Uint8Array>
  readonly first: Promise<IteratorResult<Uint8Array>>
}

function fetch(options: RestoreOptions, row: WriteRow): Fetch {
  const { store, limiter, priority = 'open', project, signal } = options
  const pieces = (options.download ?? download)(store.blobs, extentOf(project, row), {
    limiter,
    priority,
    signal,
  })
  const first = pieces.next()
  // It is awaited in its turn; a failure before that must not count as unhandled.
  first.catch(() => {})
  return { pieces, first }
}

/** One stream after the other; while a receiver ends its work on one, the next is being fetched. */
async function receivePath(
  options: RestoreOptions,
  path: readonly WriteRow[],
  receive: Receive,
  have: Set<Guid>,
): Promise<void> {
  let ahead: Fetch | undefined
  try {
    for (const [index, row] of path.entries()) {
      const fetched = ahead ?? fetch(options, row)
      ahead = undefined
      const next = path[index + 1]
      await receiveOne(row, fetched, receive, () => {
        ahead = next && fetch(options, next)
      })
      have.add(row.to)
    }
  } finally {
    await ahead?.pieces.return(undefined).catch(() => {})
  }
}

async function receiveOne(
  row: WriteRow,
  { pieces, first }: Fetch,
  receive: Receive,
  onRead: () => void,
): Promise<void> {
  let failure: unknown
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (let piece = await first; !piece.done; piece = await pieces.next()) yield piece.value
      onRead()
    } catch (error) {
      failure = error
      throw error
    }
  }
  try {
    await receive(row, bytes())
  } catch (error) {
    // A receiver that was cut off tells of a broken stream; why it broke is ours to know.
    if (codeOf(failure) === 'chunk-missing') throw new LostWhileReading(row, failure)
    throw failure ?? error
  } finally {
    // Also where the receiver left early, or never began to read.
    await pieces.return(undefined).catch(() => {})
  }
}

async function isStillCommitted(options: RestoreOptions, row: WriteRow): Promise<boolean> {
  const project = await readProject(options.store.catalogue, options.project, options)
  return mayBeRead(project, options) && project.rows.get(row.writeId)?.state === 'committed'
}
