import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Point } from '../../pipeline/graph/points.ts'
import { DEFAULT_RETENTION, type RetentionPolicy, retain } from '../../pipeline/graph/retention.ts'
import { point } from '../support/graph.ts'
import { int, runSeed, seeded, shuffled } from '../support/random.ts'

const test = suite('graph: retention')

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NONE: RetentionPolicy = { latest: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0 }
const at = (number: number, atMs: number, sentAtMs = atMs): Point => ({
  guid: point(number),
  atMs,
  sentAtMs,
})
const kept = (points: readonly Point[], policy: Partial<RetentionPolicy>) =>
  [...retain(points, { ...NONE, ...policy })].map(([guid, reason]) => `${guid} ${reason}`).sort()

test('the latest ones, by their own time and not by the order in which they are listed', () => {
  const points = [at(1, 300), at(2, 100), at(3, 200)]
  assert.equal(kept(points, { latest: 2 }), ['1 latest', '3 latest'])
  assert.equal(kept(points, {}), [])
})

test('of two of one second the one that was sent later is newer, whatever their GUIDs', () => {
  const points = [at(1, 100, 9), at(2, 100, 7), at(3, 100, 8), at(4, 50, 10)]
  assert.equal(kept(points, { latest: 1 }), ['1 latest'])
  assert.equal(kept(points, { latest: 2 }), ['1 latest', '3 latest'])
  assert.equal(kept(points, { hourly: 1 }), ['1 hourly'])
})

test('of each period its newest point; periods without a point do not count', () => {
  const noon = Date.UTC(2026, 10, 22, 12)
  const points = [
    at(1, noon),
    at(2, noon + 1),
    at(3, noon - HOUR),
    at(4, noon - 9 * HOUR),
    at(5, noon - 3 * DAY),
  ]
  assert.equal(kept(points, { hourly: 3 }), ['2 hourly', '3 hourly', '4 hourly'])
  assert.equal(kept(points, { daily: 2 }), ['2 daily', '5 daily'])
  assert.equal(kept(points, { latest: 1, daily: 2 }), ['2 latest', '5 daily'])
})

test('weeks begin on Monday and months on their first, in UTC', () => {
  const sunday = Date.UTC(2026, 10, 22, 23, 59)
  const monday = Date.UTC(2026, 10, 23)
  assert.equal(kept([at(1, sunday), at(2, monday)], { weekly: 2 }), ['1 weekly', '2 weekly'])
  assert.equal(kept([at(1, monday), at(2, monday + 6 * DAY)], { weekly: 2 }), ['2 weekly'])
  const last = Date.UTC(2025, 11, 31, 23, 59)
  assert.equal(kept([at(1, last), at(2, last + 60_000)], { monthly: 2 }), ['1 monthly', '2 monthly'])
})

test('keeps the same whatever the order, at most as many as asked for, and always the newest of all', () => {
  const random = seeded(runSeed('retention'))
  for (let round = 0; round < 200; round++) {
    const points = Array.from({ length: int(random, 0, 80) }, (_, index) =>
      at(index + 1, int(random, 0, 800) * HOUR),
    )
    const result = retain(points, DEFAULT_RETENTION)
    assert.equal([...retain(shuffled(random, points), DEFAULT_RETENTION)], [...result])
    const { latest, hourly, daily, weekly, monthly } = DEFAULT_RETENTION
    assert.ok(result.size <= latest + hourly + daily + weekly + monthly)
    assert.ok(result.size >= Math.min(points.length, latest))
    const newest = points.reduce((a, b) => Math.max(a, b.atMs), 0)
    if (points.length > 0) assert.ok(points.some(({ guid, atMs }) => atMs === newest && result.has(guid)))
  }
})

test('what was kept and is still newest of its period is kept an hour later', () => {
  const hours = Array.from({ length: 24 * 60 }, (_, index) => at(index + 1, index * HOUR))
  const before = retain(hours, DEFAULT_RETENTION)
  const after = retain([...hours, at(9999, hours.length * HOUR)], DEFAULT_RETENTION)
  const dropped = [...before.keys()].filter((guid) => !after.has(guid))
  assert.ok(dropped.length <= 3, `${dropped.length} dropped`)
})

test.run()
