/** Whether a point that can no longer be had back was one that retention may let go. */
import { codeOf } from '../../../pipeline/base/errors.ts'
import type { Guid } from '../../../pipeline/base/ids.ts'
import { cheapestPaths } from '../../../pipeline/graph/plan.ts'
import { newestFirst, reachablePoints } from '../../../pipeline/graph/points.ts'
import { type RetentionPolicy, retain } from '../../../pipeline/graph/retention.ts'
import type { Project } from '../../../pipeline/graph/state.ts'

/** What asking for a point ends with where no streams lead to it any more. */
export const isGone = (error: unknown): boolean =>
  ['point-gone', 'point-unknown'].includes(codeOf(error) ?? '')

/**
 * Throws where the policy would keep the point, were it still there: what is newer, and what stands for its hour or its day
 * instead of it, can be had. As points only come and the newest stay, what may go once may go ever after.
 */
export function requireLetGo(project: Project, point: Guid, policy: RetentionPolicy): void {
  const { head, kept } = project.statics
  const rows = [...project.rows.values()]
  const before = rows.map((row) =>
    row.committedAtMs === null ? row : { ...row, state: 'committed' as const },
  )
  const asItWas = { ...project, rows: new Map(before.map((row) => [row.writeId, row])) }
  const gone = reachablePoints(asItWas, cheapestPaths(before)).get(point)
  const there = [...reachablePoints(project, cheapestPaths(rows)).values()]
  const newer = there.filter((one) => gone && newestFirst(one, gone) < 0)
  const about = `point ${point} of ${project.id} is gone, with ${newer.length} newer ones of ${there.length}`
  if (!gone) throw new Error(`${about}: it never was one`)
  if (there.some(({ guid }) => guid === point)) throw new Error(`${about}: streams lead to it`)
  if (point === head || kept[point]) throw new Error(`${about}: it is ${kept[point] ?? 'the head'}`)
  const reason = retain([...there, gone], policy).get(point)
  if (reason) throw new Error(`${about}: it should be kept as ${reason}`)
}
