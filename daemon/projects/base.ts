/**
 * From which snapshot a step is sent. Like a binary counter: the newest base whose own incoming stream is at least twice
 * the step, so that sizes along the path to the head about halve, the path stays logarithmic, and each byte is sent again
 * only a few times, without any extra job. Pure.
 */
import type { Guid } from '../../pipeline/base/ids.ts'
import { cheapestPaths, type Paths } from '../../pipeline/graph/plan.ts'
import type { Project } from '../../pipeline/graph/state.ts'

/** Something that a step can start from: a snapshot or a bookmark that the dataset holds. */
export interface Held {
  readonly guid: Guid
}

/** A step is worth to be its own edge only where what leads to its base is so many times larger. */
const GROWTH = 2n

/**
 * `held` in the order in which they were made, all before the end of the step; `newBytes` is about what is new since the
 * newest of them that can be reached. Null: a full stream.
 */
export function chooseBase<T extends Held>(
  project: Project,
  held: readonly T[],
  newBytes: (newestBase: T) => bigint,
): T | null {
  const paths = cheapestPaths(project.rows.values())
  const bases = new Map(held.map((one) => [one.guid, one]))
  const newest = held.findLast(({ guid }) => paths.reaches(guid))
  if (!newest) return null
  let stepBytes = newBytes(newest)
  for (const { point, incomingBytes } of backwards(paths, newest.guid)) {
    const base = bases.get(point)
    if (base && incomingBytes >= GROWTH * stepBytes) return base
    stepBytes += incomingBytes
  }
  return null
}

/** Why not the newest always: a path of a thousand streams is a thousand receives. */
function* backwards(paths: Paths, from: Guid): Generator<{ point: Guid; incomingBytes: bigint }> {
  for (let row = paths.lastTo(from); row; row = row.from === null ? null : paths.lastTo(row.from))
    yield { point: row.to, incomingBytes: row.manifest?.bytes ?? 0n }
}
