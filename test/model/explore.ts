/** Walks every state that a scenario can come to, nearest first, so that the first violation is a shortest one. */

import { applyTransaction } from '../../pipeline/graph/transaction.ts'
import { forgetWrite } from '../../pipeline/graph/transitions/removal.ts'
import { mentions, type Play } from './beginnings.ts'
import { isSettled, judgeState } from './judge.ts'
import { worldKey } from './keys.ts'
import { type Move, movesIn, Stories } from './moves.ts'
import { mayLand } from './steps.ts'
import { copyOf, type MachineName, PROJECT, type World } from './world.ts'

export interface Found {
  readonly states: number
  readonly steps: number
  readonly depth: number
  /** Whether states were left unvisited. */
  readonly cut: boolean
  readonly violation?: string
  /** The moves that lead there. */
  readonly trace?: readonly string[]
}

export interface Limits {
  readonly states?: number
  readonly ms?: number
}

export async function explore(first: World, play: Play, limits: Limits = {}): Promise<Found> {
  const { states: maxStates = 5_000_000, ms: maxMs = Number.POSITIVE_INFINITY } = limits
  const stories = new Stories(play.rules)
  const seen = new Map([[worldKey(first), 0]])
  const cameFrom: number[] = [-1]
  const byMove: number[] = [0]
  const edges: Edges = { from: [], to: [] }
  const settled: number[] = isSettled(first) ? [0] : []
  const beganAtMs = performance.now()
  let steps = 0
  let depth = 0
  let layer: [World, number][] = [[first, 0]]
  const result = (cut: boolean) => ({ states: seen.size, steps, depth, cut })
  const trace = (last: number, ...more: number[]) => retell(first, play, pathTo(cameFrom, byMove, last, more))
  for (; layer.length > 0; depth++) {
    const next: [World, number][] = []
    for (const [world, index] of layer) {
      if (seen.size > maxStates || ((index & 255) === 0 && performance.now() - beganAtMs > maxMs))
        return result(true)
      for (const [number, move] of (await movesIn(world, play, stories)).entries()) {
        const after = await made(world, move)
        steps++
        if (after.violation !== null)
          return { ...result(false), violation: after.violation, trace: await trace(index, number) }
        const key = worldKey(after)
        let known = seen.get(key)
        if (known === undefined) {
          known = seen.size
          seen.set(key, known)
          cameFrom.push(index)
          byMove.push(number)
          next.push([after, known])
          if (isSettled(after)) settled.push(known)
        }
        edges.from.push(index)
        edges.to.push(known)
      }
    }
    layer = next
  }
  const stuck = firstStuck(seen.size, edges, settled)
  if (stuck === undefined) return result(false)
  const violation = 'stuck: from here what was written can never be saved'
  return { ...result(false), violation, trace: await trace(stuck) }
}

async function made(world: World, move: Move): Promise<World> {
  const after = copyOf(world)
  after.turn = null
  await move.happen(after)
  tidy(after)
  if (after.project !== world.project || after.blobs !== world.blobs || holdsOther(after, world))
    judgeState(after)
  return after
}

const holdsOther = (one: World, other: World): boolean =>
  one.written !== other.written ||
  (Object.keys(one.machines) as MachineName[]).some((name) => one.machines[name] !== other.machines[name])

/** Drops what can have no effect any more, so that states with equal futures are equal. */
function tidy(world: World): void {
  world.late = world.late.filter(({ transaction }) => mayLand(world, transaction))
  for (const row of world.project.rows.values()) {
    const ended = row.state === 'deleted' || row.state === 'aborted'
    if (!ended || world.blobs.has(row.writeId) || isNamed(world, row.writeId)) continue
    world.project = applyTransaction(world.project, forgetWrite(PROJECT, row)) ?? world.project
  }
  for (const id of Object.keys(world.writes) as (keyof World['writes'])[])
    if (!world.project.rows.has(id) && !isNamed(world, id)) {
      const { [id]: _forgotten, ...writes } = world.writes
      world.writes = writes
    }
}

const isNamed = (world: World, id: keyof World['writes']): boolean =>
  world.late.some(({ transaction }) => mentions(transaction, id)) ||
  Object.entries(world.tasks).some(
    ([place, { what }]) =>
      place !== 'mirror' && (what.endsWith(id) || place === 'scrub' || place === 'operator'),
  )

interface Edges {
  readonly from: number[]
  readonly to: number[]
}

/** The nearest state from which no way leads to a settled one. */
function firstStuck(states: number, { from, to }: Edges, settled: readonly number[]): number | undefined {
  const begin = new Uint32Array(states + 1)
  for (const state of to) begin[state + 1]! += 1
  for (let state = 0; state < states; state++) begin[state + 1]! += begin[state]!
  const filled = begin.slice()
  const before = new Uint32Array(to.length)
  for (const [edge, state] of to.entries()) before[filled[state]!++] = from[edge]!
  const hopeful = new Uint8Array(states)
  const queue = [...settled]
  for (const state of settled) hopeful[state] = 1
  for (let state = queue.pop(); state !== undefined; state = queue.pop())
    for (let edge = begin[state]!; edge < begin[state + 1]!; edge++) {
      const earlier = before[edge]!
      if (hopeful[earlier]) continue
      hopeful[earlier] = 1
      queue.push(earlier)
    }
  const stuck = hopeful.indexOf(0)
  return stuck < 0 ? undefined : stuck
}

function pathTo(cameFrom: number[], byMove: number[], last: number, more: number[]): number[] {
  const path = [...more]
  for (let state = last; state > 0; state = cameFrom[state]!) path.unshift(byMove[state]!)
  return path
}

/** The labels of a path of moves, each given by its number in its state. */
async function retell(first: World, play: Play, path: readonly number[]): Promise<string[]> {
  const stories = new Stories(play.rules)
  const labels: string[] = []
  let world = first
  for (const number of path) {
    const move = (await movesIn(world, play, stories))[number]
    if (!move) throw new Error('the same state has other moves when it is told again')
    labels.push(move.label)
    world = await made(world, move)
  }
  return labels
}
