import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { WriteState } from '../../pipeline/graph/state.ts'
import { requireLetGo } from './crash/let-go.ts'
import { edge, point, projectOf } from './graph.ts'

const test = suite('tests: whether a point may be gone')

const policy = { latest: 2, hourly: 1, daily: 0, weekly: 0, monthly: 0 }

/** Points 1 to `count`, each sent whole, of one second; of those the ones in `superseded` are gone. */
const points = (count: number, superseded: readonly number[], atMs = 1000) =>
  Array.from({ length: count }, (_, index) => {
    const state: WriteState = superseded.includes(index + 1) ? 'superseded' : 'committed'
    return edge(`w${index + 1}`, 0, index + 1, { atMs, begunAtMs: index, state })
  })

test('it may where enough newer ones are there, also when they are of the same second', () => {
  requireLetGo(projectOf(points(3, [1])), point(1), policy)
  requireLetGo(projectOf(points(5, [1, 2, 3])), point(3), policy)
})

test('it may not where the policy would keep it', () => {
  const throwsFor = (project: ReturnType<typeof projectOf>, gone: number, why: RegExp) =>
    assert.throws(() => requireLetGo(project, point(gone), policy), why)
  throwsFor(projectOf(points(3, [2])), 2, /with 1 newer ones of 2: it should be kept as latest/)
  throwsFor(projectOf(points(4, [1, 3])), 3, /should be kept as latest/)
  throwsFor(projectOf([...points(1, [1], 5000), ...points(3, []).slice(1)]), 1, /should be kept as latest/)
  throwsFor(projectOf(points(3, [1]), { head: point(1) }), 1, /it is the head/)
  throwsFor(projectOf(points(3, [1]), { kept: { [point(1)]: 'pinned' } }), 1, /it is pinned/)
  throwsFor(projectOf(points(3, [])), 1, /streams lead to it/)
  throwsFor(projectOf(points(3, [])), 9, /it never was one/)
})

test('it may not where it alone stands for its hour', () => {
  const hours = { ...policy, latest: 0, hourly: 2 }
  const hour = 3_600_000
  const project = projectOf([
    edge('a', 0, 1, { state: 'superseded', atMs: 1000 }),
    edge('d', 0, 4, { atMs: hour + 1 }),
    edge('e', 0, 5, { atMs: hour + 2 }),
  ])
  assert.throws(() => requireLetGo(project, point(1), hours), /should be kept as hourly/)
})

test.run()
