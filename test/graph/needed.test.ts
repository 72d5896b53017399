import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { keptPoints, neededWrites, superfluousWrites } from '../../pipeline/graph/needed.ts'
import { cheapestPaths, type EdgeCost } from '../../pipeline/graph/plan.ts'
import { rulesWithout } from '../../pipeline/graph/rules.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { edge, ids, point, projectOf, randomGraph } from '../support/graph.ts'
import { chance, runSeed, seeded } from '../support/random.ts'

const test = suite('graph: needed')

const NONE = { latest: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0 }
const options = { policy: NONE, cost: ((row) => Number(row.manifest?.bytes ?? 0n)) satisfies EdgeCost }
const reasons = (project: Project) =>
  Object.fromEntries(keptPoints(project, cheapestPaths(project.rows.values()), options))

test('the head, what somebody asked to keep and the base of a write are kept, each with its reason', () => {
  const rows = [
    edge('a', 0, 1),
    edge('b', 1, 2),
    edge('c', 2, 3),
    edge('d', 3, 4),
    edge('w', 2, 9, { state: 'writing' }),
  ]
  const project = projectOf(rows, { head: point(4), kept: { [point(1)]: 'pinned' } })
  assert.equal(reasons(project), { [point(4)]: 'head', [point(1)]: 'pinned', [point(2)]: 'base-of-a-write' })
})

test('a point that is wanted stays where the policy alone would let it go', () => {
  const project = projectOf([edge('a', 0, 1), edge('b', 0, 2)])
  assert.equal(ids(superfluousWrites(project, options)), ['a'])
  assert.equal(ids(superfluousWrites(project, { ...options, wanted: point(1) })), [])
})

test('the base of a write that can no longer commit is not kept', () => {
  const project = projectOf([edge('a', 0, 1), edge('b', 0, 2), edge('w', 1, 9, { state: 'writing' })], {
    head: point(2),
  })
  assert.equal(ids(superfluousWrites(project, options)), [])
  assert.equal(ids(superfluousWrites(project, { ...options, mayStillCommit: () => false })), ['a'])
})

test('an edge that only a dearer way uses is superfluous, and so is one that leads nowhere', () => {
  const project = projectOf(
    [
      edge('full', 0, 1, { bytes: 100 }),
      edge('step', 1, 2, { bytes: 10 }),
      edge('again', 0, 2, { bytes: 50 }),
      edge('island', 7, 8),
    ],
    { head: point(2) },
  )
  assert.equal(ids(superfluousWrites(project, options)), ['full', 'step', 'island'])
  assert.equal(ids(superfluousWrites(project, { ...options, rules: rulesWithout('needed') })).length, 4)
})

test('the default policy keeps every one of a few points', () => {
  const project = projectOf([edge('a', 0, 1), edge('b', 1, 2), edge('c', 2, 3)])
  assert.equal([...neededWrites(project)].sort(), ['a', 'b', 'c'])
})

test('what remains leads to every kept point as cheaply as before, and nothing less would do', () => {
  const random = seeded(runSeed('needed'))
  for (let round = 0; round < 500; round++) {
    const graph = randomGraph(random, 10)
    const kept = Object.fromEntries(
      [1, 2, 3, 4, 5, 6]
        .filter(() => chance(random, 0.3))
        .map((number) => [point(number), 'pinned' as const]),
    )
    const project = { ...graph, statics: { ...graph.statics, kept } }
    const before = cheapestPaths(project.rows.values(), options)
    const points = [...keptPoints(project, before, options).keys()].filter(before.reaches)
    const gone = new Set(superfluousWrites(project, options).map((row) => row.writeId))
    const rest = [...project.rows.values()].filter((row) => !gone.has(row.writeId))
    const after = cheapestPaths(rest, options)
    for (const each of points) assert.is(after.cost(each), before.cost(each))
    for (const row of rest.filter(({ state }) => state === 'committed')) {
      const without = cheapestPaths(
        rest.filter((other) => other !== row),
        options,
      )
      assert.ok(
        points.some((each) => without.cost(each) > after.cost(each)),
        `${row.writeId} is kept for nothing`,
      )
    }
  }
})

test.run()
