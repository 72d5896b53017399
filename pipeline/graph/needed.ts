/** Which edges the points that must stay restorable need, and which are superfluous (rule `needed`). */
import type { Guid, WriteId } from '../base/ids.ts'
import { cheapestPaths, type EdgeCost, type Paths } from './plan.ts'
import { reachablePoints } from './points.ts'
import { DEFAULT_RETENTION, type RetentionPolicy, retain } from './retention.ts'
import { EVERY_RULE, type Rules } from './rules.ts'
import type { Project, WriteRow } from './state.ts'

export interface NeededOptions {
  readonly policy?: RetentionPolicy
  /** A point that somebody is on the way back to: not to be let go by the save of what is left. */
  readonly wanted?: Guid
  readonly cost?: EdgeCost
  /** Whether a `writing` row's base must stay: true for every row unless its host is known to be dead. */
  readonly mayStillCommit?: (row: WriteRow) => boolean
  readonly rules?: Rules
}

/** Points that must stay restorable, each with its reason. */
export function keptPoints(project: Project, paths: Paths, options: NeededOptions = {}): Map<Guid, string> {
  const { policy = DEFAULT_RETENTION, wanted, mayStillCommit = () => true } = options
  const kept = retain(reachablePoints(project, paths).values(), policy)
  for (const row of project.rows.values())
    if (row.state === 'writing' && row.from !== null && mayStillCommit(row))
      kept.set(row.from, 'base-of-a-write')
  if (wanted !== undefined) kept.set(wanted, 'wanted')
  for (const [point, reason] of Object.entries(project.statics.kept)) kept.set(point as Guid, reason)
  if (project.statics.head !== null) kept.set(project.statics.head, 'head')
  return kept
}

/** For each kept point the edges of one cheapest path. */
export function neededWrites(project: Project, options: NeededOptions = {}): Set<WriteId> {
  const paths = cheapestPaths(project.rows.values(), options.cost ? { cost: options.cost } : {})
  const needed = new Set<WriteId>()
  for (const point of keptPoints(project, paths, options).keys()) {
    let last = paths.lastTo(point)
    // All cheapest paths grow from one tree: where an edge is known, so is the rest of the way to the root.
    while (last && !needed.has(last.writeId)) {
      needed.add(last.writeId)
      last = last.from === null ? null : paths.lastTo(last.from)
    }
  }
  return needed
}

/** Committed edges that no kept point needs. */
export function superfluousWrites(project: Project, options: NeededOptions = {}): WriteRow[] {
  const { rules = EVERY_RULE } = options
  const needed = rules.needed ? neededWrites(project, options) : new Set<WriteId>()
  return [...project.rows.values()].filter((row) => row.state === 'committed' && !needed.has(row.writeId))
}
