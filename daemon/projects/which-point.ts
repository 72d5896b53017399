/** Which point of a project is meant, and where a way to it could begin. Pure. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid } from '../../pipeline/base/ids.ts'
import { cheapestPaths, receiveCost } from '../../pipeline/graph/plan.ts'
import { newestFirst, pastHeads, reachablePoints } from '../../pipeline/graph/points.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { localTime } from '../cli/output.ts'

/** By time: the newest one that was made at that moment or before. */
export type WhichPoint = { readonly guid: Guid } | { readonly atMs: number }

/** A byte from the pool's own disks costs so much less than one from the store: no network, nobody else waits for it. */
const LOCAL_DISCOUNT = 4n

/** Rejects with `point-unknown` where nothing is that old. A side point was never what the project was at any time. */
export function pointOf(project: Project, which: WhichPoint): Guid {
  if ('guid' in which) return which.guid
  const paths = cheapestPaths(project.rows.values())
  const heads = pastHeads(project)
  const points = [...reachablePoints(project, paths).values()]
    .filter(({ guid }) => heads.has(guid))
    .sort(newestFirst)
  const found = points.find(({ atMs }) => atMs <= which.atMs)
  if (found) return found.guid
  const oldest = points.at(-1)
  throw new TidepoolError(
    'point-unknown',
    `project ${project.id} has no point of ${localTime(which.atMs)} or before`,
    {
      hint: oldest
        ? `Its oldest one is ${oldest.guid} of ${localTime(oldest.atMs)}: name that, or a time after it.`
        : 'Nothing of it was saved yet.',
    },
  )
}

/** Something that a pool holds and could make a copy of. */
export interface Held {
  readonly guid: Guid
  readonly referencedBytes: bigint
}

/**
 * What the cheapest way to the point begins with: null for nothing. Rejects with `point-unknown`, or with `point-gone` where
 * it was one and its streams have left the store's graph.
 */
export function cheapestStart<T extends Held>(project: Project, point: Guid, held: readonly T[]): T | null {
  const starts = new Map(held.map((one) => [one.guid, one]))
  const path = cheapestPaths(project.rows.values(), {
    from: starts.keys(),
    startCost: (from) => receiveCost((starts.get(from)?.referencedBytes ?? 0n) / LOCAL_DISCOUNT),
  }).to(point)
  if (!path) throw unreachable(project, point)
  const [first] = path
  const start = first ? first.from : point
  return (start !== null && starts.get(start)) || null
}

function unreachable({ id, rows }: Project, point: Guid): TidepoolError {
  const was = [...rows.values()].some(({ to, committedAtMs }) => to === point && committedAtMs !== null)
  const hint = `\`tidepool stream graph ${id}\` shows the points that there are.`
  return was
    ? new TidepoolError(
        'point-gone',
        `point ${point} of project ${id} is no longer kept: no streams lead to it`,
        {
          hint: `${hint} What must stay is pinned before retention lets it go.`,
        },
      )
    : new TidepoolError('point-unknown', `project ${id} has no point ${point}`, { hint })
}
