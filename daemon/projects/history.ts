/** What a project can be brought back to: each of its points, newest first. Pure. */
import type { Guid, HostId } from '../../pipeline/base/ids.ts'
import { cheapestPaths } from '../../pipeline/graph/plan.ts'
import { newestFirst, reachablePoints } from '../../pipeline/graph/points.ts'
import { type RetentionPolicy, retain } from '../../pipeline/graph/retention.ts'
import type { KeptReason, Project, WriteRow } from '../../pipeline/graph/state.ts'

export interface HistoryPoint {
  readonly guid: Guid
  /** When its snapshot was taken. */
  readonly atMs: number
  /** What the snapshot was called where it was sent. */
  readonly name: string | undefined
  readonly host: HostId
  /** Of the streams that an open of it receives from nothing. */
  readonly pathStreams: number
  readonly pathBytes: bigint
  /** What the project took then, where the save knew it. */
  readonly referencedBytes: bigint | undefined
  readonly isHead: boolean
  /** Why it stays: head, a mark that stands until somebody takes it away, or a place in the policy. Undefined: it may go. */
  readonly keptAs: 'head' | KeptReason | string | undefined
}

/** Points that no committed streams lead to are none any more. */
export function historyOf(project: Project, policy: RetentionPolicy): HistoryPoint[] {
  const { head, kept } = project.statics
  const paths = cheapestPaths(project.rows.values())
  const ends = new Map<Guid, WriteRow>()
  for (const row of project.rows.values())
    if (row.state === 'committed' && paths.reaches(row.to) && !isOlder(row, ends.get(row.to)))
      ends.set(row.to, row)
  const points = [...reachablePoints(project, paths).values()].sort(newestFirst)
  const wanted = retain(points, policy)
  return points.map(({ guid, atMs }): HistoryPoint => {
    const row = ends.get(guid) as WriteRow
    const path = paths.to(guid) ?? []
    const isHead = guid === head
    return {
      guid,
      atMs,
      name: row.manifest?.stream.toName,
      host: row.host,
      pathStreams: path.length,
      pathBytes: path.reduce((sum, { manifest }) => sum + (manifest?.bytes ?? 0n), 0n),
      referencedBytes: row.manifest?.usage?.referencedBytes,
      isHead,
      keptAs: isHead ? 'head' : (kept[guid] ?? wanted.get(guid)),
    }
  })
}

/** Of several ways to one point the first one tells who made it. */
const isOlder = (row: WriteRow, known: WriteRow | undefined): boolean =>
  known !== undefined && known.begunAtMs <= row.begunAtMs
