import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nextOlder } from '../../daemon/projects/fall-back.ts'
import { cheapestStart, pointOf } from '../../daemon/projects/which-point.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { MIB } from '../../pipeline/base/units.ts'
import { edge, point, projectOf } from '../support/graph.ts'

const test = suite('projects: which point')

function codeOfThrown(act: () => unknown): string | undefined {
  try {
    act()
  } catch (error) {
    return codeOf(error)
  }
  return undefined
}

const held = (n: number, mib: number) => ({ guid: point(n), referencedBytes: BigInt(mib) * BigInt(MIB) })

test('a way begins with what the pool holds where that is cheaper, and the nearer of two', () => {
  const project = projectOf([
    edge('full', 0, 1, { bytes: 1000 * MIB }),
    edge('step', 1, 2, { bytes: 500 * MIB }),
    edge('last', 2, 3, { bytes: MIB }),
  ])
  assert.is(cheapestStart(project, point(3), []), null)
  assert.is(cheapestStart(project, point(3), [held(1, 1000)])?.guid, point(1))
  assert.is(cheapestStart(project, point(3), [held(1, 1000), held(2, 1400)])?.guid, point(2))
  assert.is(cheapestStart(project, point(2), [held(2, 1400)])?.guid, point(2))
  // Far larger than all the streams together: what is compressed in the store, say.
  assert.is(cheapestStart(project, point(1), [held(1, 5000)]), null)
  // What it holds leads nowhere near.
  assert.is(cheapestStart(project, point(1), [held(3, 1)]), null)
})

test('what only the pool holds can be had from there alone', () => {
  const project = projectOf([edge('full', 0, 1)])
  assert.is(cheapestStart(project, point(9), [held(9, 1)])?.guid, point(9))
  assert.is(
    codeOfThrown(() => cheapestStart(project, point(9), [held(1, 1)])),
    'point-unknown',
  )
})

test('of two of one second the later one is the newer, also where the older one’s streams were replaced since', () => {
  const rows = [edge('a', 0, 2, { atMs: 10, begunAtMs: 11 }), edge('b', 2, 1, { atMs: 10, begunAtMs: 12 })]
  assert.is(pointOf(projectOf(rows), { atMs: 10 }), point(1))
  const replaced = [
    edge('a', 0, 2, { atMs: 10, begunAtMs: 11, state: 'superseded' }),
    edge('b', 0, 1, { atMs: 10, begunAtMs: 12 }),
    edge('c', 0, 2, { atMs: 10, begunAtMs: 13 }),
  ]
  assert.is(pointOf(projectOf(replaced), { atMs: 10 }), point(1))
  assert.is(nextOlder(projectOf(replaced), point(1)), point(2))
  assert.is(nextOlder(projectOf(replaced), point(2)), undefined)
})

test('by time a side point is passed over, and so is what nothing leads to', () => {
  const rows = [
    edge('a', 0, 1, { atMs: 10 }),
    edge('b', 1, 2, { atMs: 20 }),
    edge('c', 1, 3, { atMs: 30, side: true }),
    edge('d', 0, 4, { atMs: 40, state: 'superseded' }),
  ]
  const project = projectOf(rows)
  for (const [atMs, expected] of [
    [10, 1],
    [19, 1],
    [20, 2],
    [99, 2],
  ] as const)
    assert.is(pointOf(project, { atMs }), point(expected))
  assert.is(
    codeOfThrown(() => pointOf(project, { atMs: 9 })),
    'point-unknown',
  )
  assert.is(
    codeOfThrown(() => cheapestStart(project, point(4), [])),
    'point-gone',
  )
})

test.run()
