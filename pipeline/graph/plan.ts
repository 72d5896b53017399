/**
 * Which streams lead from nothing (or from what a pool holds) to a point, cheapest first. Pure, over one read of a
 * project; 10,000 edges take a few milliseconds.
 */
import type { Guid } from '../base/ids.ts'
import { MIB } from '../base/units.ts'
import { Heap } from './heap.ts'
import type { Project, WriteRow } from './state.ts'

/** What receiving one stream costs, in any unit; never negative. */
export type EdgeCost = (row: WriteRow) => number

/** A receive costs about as much as reading so many bytes: each is a few commands and a pool sync. */
const RECEIVE_COST_BYTES = 16 * MIB

/** What a receive of so many bytes costs, wherever they come from. */
export const receiveCost = (bytes: bigint): number => Number(bytes) + RECEIVE_COST_BYTES

export const bytesCost: EdgeCost = (row) => receiveCost(row.manifest?.bytes ?? 0n)

export interface Paths {
  reaches(point: Guid): boolean
  /** The writes in the order in which they are received, empty for a start; null where no path leads there. */
  to(point: Guid): WriteRow[] | null
  cost(point: Guid): number
  /** The last write on the way to the point; null where the way begins there, or there is none. */
  lastTo(point: Guid): WriteRow | null
}

export interface PathOptions {
  readonly cost?: EdgeCost
  /** Snapshots that are there already, besides nothing. */
  readonly from?: Iterable<Guid>
  /** What it costs to begin at one of those. @default 0 */
  readonly startCost?: (point: Guid) => number
  /** Which rows may be used; by default the committed ones. */
  readonly usable?: (row: WriteRow) => boolean
}

interface Arrival {
  readonly point: Guid | null
  readonly cost: number
  readonly by: WriteRow | null
}

/** One search gives the cheapest path to every point. Equal costs are settled by the write's id, so that all hosts agree. */
export function cheapestPaths(rows: Iterable<WriteRow>, options: PathOptions = {}): Paths {
  const { cost = bytesCost, startCost = () => 0, usable = (row) => row.state === 'committed' } = options
  const outgoing = new Map<Guid | null, WriteRow[]>()
  for (const row of rows) {
    if (!usable(row)) continue
    const edges = outgoing.get(row.from)
    if (edges) edges.push(row)
    else outgoing.set(row.from, [row])
  }
  const arrived = new Map<Guid | null, Arrival>()
  const heap = new Heap<Arrival>((a, b) => a.cost < b.cost || (a.cost === b.cost && idOf(a) < idOf(b)))
  heap.push({ point: null, cost: 0, by: null })
  for (const point of options.from ?? []) heap.push({ point, cost: startCost(point), by: null })
  for (let next = heap.pop(); next; next = heap.pop()) {
    if (arrived.has(next.point)) continue
    arrived.set(next.point, next)
    for (const by of outgoing.get(next.point) ?? [])
      if (!arrived.has(by.to)) heap.push({ point: by.to, cost: next.cost + cost(by), by })
  }
  return {
    reaches: (point) => arrived.has(point),
    lastTo: (point) => arrived.get(point)?.by ?? null,
    cost: (point) => arrived.get(point)?.cost ?? Number.POSITIVE_INFINITY,
    to(point) {
      let at = arrived.get(point)
      if (!at) return null
      const path: WriteRow[] = []
      while (at?.by) {
        path.push(at.by)
        at = arrived.get(at.by.from)
      }
      return path.reverse()
    },
  }
}

const idOf = (arrival: Arrival): string => arrival.by?.writeId ?? ''

/** The cheapest path to the head; empty for a project that has none yet. Null: the head can't be reached, which no transaction of ours allows. */
export function pathToHead(project: Project, options?: PathOptions): WriteRow[] | null {
  const { head } = project.statics
  return head === null ? [] : cheapestPaths(project.rows.values(), options).to(head)
}

/** Whether committed edges lead to the point; nothing is always reachable. */
export function isReachable(project: Project, point: Guid | null): boolean {
  return point === null || cheapestPaths(project.rows.values()).reaches(point)
}
