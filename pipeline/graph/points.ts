/** The points of a project, and which of two is newer. Pure. */
import type { Guid } from '../base/ids.ts'
import type { Paths } from './plan.ts'
import type { Project } from './state.ts'

export interface Point {
  readonly guid: Guid
  /** When the snapshot was taken, to the second: ZFS knows no more. */
  readonly atMs: number
  /** When its first stream was begun: a host sends one after the other, the newer snapshot later. */
  readonly sentAtMs: number
}

/** The points that can be restored. One with several edges counts once. */
export function reachablePoints(project: Project, paths: Paths): Map<Guid, Point> {
  const firstSentAtMs = new Map<Guid, number>()
  // Also by streams that were replaced since: a new way to an old point makes it no newer.
  for (const { to, begunAtMs } of project.rows.values())
    firstSentAtMs.set(to, Math.min(begunAtMs, firstSentAtMs.get(to) ?? begunAtMs))
  const points = new Map<Guid, Point>()
  for (const { state, to, begunAtMs, manifest } of project.rows.values())
    if (state === 'committed' && paths.reaches(to) && !points.has(to))
      points.set(to, {
        guid: to,
        atMs: manifest?.stream.createdAtMs ?? begunAtMs,
        sentAtMs: firstSentAtMs.get(to) ?? begunAtMs,
      })
  return points
}

/** What the project itself was, or is: no side points. */
export function pastHeads(project: Project): Set<Guid> {
  const heads = [...project.rows.values()].filter(({ state, side }) => state === 'committed' && !side)
  return new Set(heads.map(({ to }) => to))
}

/** For sorting. Of two that nothing tells apart the order is the same everywhere, and means nothing. */
export const newestFirst = (a: Point, b: Point): number =>
  b.atMs - a.atMs || b.sentAtMs - a.sentAtMs || (a.guid < b.guid ? -1 : 1)
