import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Guid } from '../../pipeline/base/ids.ts'
import {
  bytesCost,
  cheapestPaths,
  type EdgeCost,
  isReachable,
  pathToHead,
} from '../../pipeline/graph/plan.ts'
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import { edge, ids, point, projectOf, randomGraph } from '../support/graph.ts'
import { runSeed, seeded, shuffled } from '../support/random.ts'

const test = suite('graph: plan')

const byBytes: EdgeCost = (row) => Number(row.manifest?.bytes ?? 0n)

test('the cheapest way from nothing to the head, in the order in which it is received', () => {
  const project = projectOf([
    edge('full', 0, 1, { bytes: 1000 }),
    edge('step', 1, 2, { bytes: 10 }),
    edge('other', 0, 2, { bytes: 1005 }),
    edge('last', 2, 3, { bytes: 1 }),
  ])
  assert.equal(ids(pathToHead(project, { cost: byBytes }) ?? []), ['other', 'last'])
  assert.equal(ids(pathToHead(project, { cost: byBytes, from: [point(1)] }) ?? []), ['step', 'last'])
  assert.equal(pathToHead(project, { from: [point(3)] }), [])
})

test('each receive has a price, so that a thousand small steps lose against one stream', () => {
  const steps = Array.from({ length: 1000 }, (_, index) => edge(`s${index}`, index, index + 1, { bytes: 1 }))
  const project = projectOf([...steps, edge('whole', 0, 1000, { bytes: 1_000_000 })])
  assert.equal(ids(pathToHead(project) ?? []), ['whole'])
  assert.is(bytesCost(edge('x', 0, 1, { bytes: 5 })) - bytesCost(edge('y', 0, 1, { bytes: 0 })), 5)
})

test('a start that costs something is left where the way from nothing is cheaper', () => {
  const project = projectOf([edge('full', 0, 1, { bytes: 1000 }), edge('step', 1, 2, { bytes: 10 })])
  const way = (cost: number) =>
    ids(
      cheapestPaths(project.rows.values(), { cost: byBytes, from: [point(1)], startCost: () => cost }).to(
        point(2),
      ) ?? [],
    )
  assert.equal(way(999), ['step'])
  assert.equal(way(1001), ['full', 'step'])
})

test('only committed writes lead anywhere; nothing is always reachable', () => {
  for (const state of ['writing', 'superseded', 'deleting', 'deleted', 'aborted'] as const) {
    const project = projectOf([edge('full', 0, 1), edge('step', 1, 2, { state })], { head: point(2) })
    assert.is(pathToHead(project), null)
    assert.not(isReachable(project, point(2)))
    assert.ok(isReachable(project, point(1)))
    assert.ok(isReachable(project, null))
  }
  assert.equal(pathToHead(projectOf([])), [])
})

test('islands and circles are never on a way', () => {
  const project = projectOf([edge('a', 1, 2), edge('b', 2, 1), edge('c', 3, 3)], { head: point(1) })
  assert.is(pathToHead(project), null)
  assert.is(cheapestPaths(project.rows.values()).cost(point(1)), Number.POSITIVE_INFINITY)
})

test('ties are settled by the write id, in whatever order a store lists the rows', () => {
  const random = seeded(1)
  const rows = [edge('b', 0, 1), edge('a', 0, 1), edge('d', 1, 2), edge('c', 1, 2)]
  for (let round = 0; round < 20; round++) {
    const project = projectOf(shuffled(random, rows), { head: point(2) })
    assert.equal(ids(pathToHead(project) ?? []), ['a', 'c'])
  }
})

test('costs what the cheapest of all ways costs', () => {
  const random = seeded(runSeed('plan'))
  for (let round = 0; round < 500; round++) {
    const project = randomGraph(random, 9)
    const paths = cheapestPaths(project.rows.values(), { cost: byBytes })
    for (let number = 1; number <= 6; number++) {
      const to = point(number)
      const best = bruteForce(project, null, to, new Set())
      assert.is(paths.reaches(to), best !== null)
      const path = paths.to(to)
      assert.is(path && sum(path), best)
      if (path) assert.equal(joined(path), to)
    }
  }
})

/** The least that any way costs which visits no point twice. */
function bruteForce(project: Project, from: Guid | null, to: Guid, visited: Set<Guid>): number | null {
  if (from === to) return 0
  let best: number | null = null
  for (const row of project.rows.values()) {
    if (row.state !== 'committed' || row.from !== from || visited.has(row.to)) continue
    const rest = bruteForce(project, row.to, to, new Set([...visited, row.to]))
    if (rest !== null && (best === null || rest + byBytes(row) < best)) best = rest + byBytes(row)
  }
  return best
}

const sum = (path: readonly WriteRow[]): number => path.reduce((total, row) => total + byBytes(row), 0)

/** Where the path ends, if each step begins where the one before ended. */
function joined(path: readonly WriteRow[]): Guid | null {
  let at: Guid | null = null
  for (const row of path) {
    assert.is(row.from, at)
    at = row.to
  }
  return at
}

test.run()
