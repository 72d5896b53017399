import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Aimd, type AimdSettings } from '../../pipeline/limit/aimd.ts'

const test = suite('aimd')

/** Feeds whole windows of answers that each took `elapsedMs`, with as much in flight as may be. */
function drive(settings: Partial<AimdSettings> = {}) {
  const aimd = new Aimd({ start: 4, min: 1, max: 128, ...settings })
  const windowOf = (elapsedMs: number, nowMs: number, inFlight = aimd.limit): number => {
    const count = Math.max(8, aimd.limit)
    for (let i = 0; i < count; i++) aimd.observe({ elapsedMs, outcome: 'ok' }, inFlight, nowMs)
    return aimd.limit
  }
  const overload = (nowMs: number): number => {
    aimd.observe({ elapsedMs: 5, outcome: 'overload' }, aimd.limit, nowMs)
    return aimd.limit
  }
  return { aimd, windowOf, overload }
}

test('doubles with each full window up to its maximum, until the first cut', () => {
  const { windowOf } = drive()
  assert.equal(
    [1, 2, 3, 4, 5, 6].map((n) => windowOf(20, n * 100)),
    [8, 16, 32, 64, 128, 128],
  )
})

test('a window is eight answers, or as many as the limit where that is more', () => {
  const { aimd } = drive()
  const limits: number[] = []
  for (let i = 0; i < 8 + 8 + 16; i++) {
    aimd.observe({ elapsedMs: 20, outcome: 'ok' }, aimd.limit, i)
    limits.push(aimd.limit)
  }
  assert.equal(
    [6, 7, 14, 15, 30, 31].map((i) => limits[i]),
    [4, 8, 8, 16, 16, 32],
  )
})

test('after the first cut adds one a window', () => {
  const { windowOf, overload } = drive()
  windowOf(20, 0)
  windowOf(20, 100)
  assert.is(overload(200), 8)
  assert.equal(
    [300, 400, 500].map((t) => windowOf(20, t)),
    [9, 10, 11],
  )
})

test('does not grow where less than four fifths of the limit were in use', () => {
  const { aimd, windowOf } = drive({ start: 10 })
  assert.is(windowOf(20, 0, 7), 10)
  const mixed = [10, 10, 10, 10, 10, 10, 5, 5, 5, 4]
  for (const n of mixed) aimd.observe({ elapsedMs: 20, outcome: 'ok' }, n, 1)
  assert.is(aimd.limit, 10, 'mean 7.9')
  for (const n of [...mixed.slice(0, 9), 5]) aimd.observe({ elapsedMs: 20, outcome: 'ok' }, n, 2)
  assert.is(aimd.limit, 20, 'mean 8')
})

test('overload halves, once a second however many are refused', () => {
  const { overload } = drive({ start: 64 })
  assert.equal([0, 1, 500, 999, 1000, 1001, 2000].map(overload), [32, 32, 32, 32, 16, 16, 8])
  assert.equal([3000, 4000, 5000, 6000].map(overload), [4, 2, 1, 1])
})

test('overload halves no sooner than the last median, where a second is too short for an answer', () => {
  const { windowOf, overload } = drive({ start: 64 })
  windowOf(2500, 0, 1)
  assert.equal([3000, 4000, 5499, 5500].map(overload), [32, 32, 32, 16])
})

test('a median over four times the least cuts to seven tenths, at most every half second', () => {
  const { windowOf } = drive({ start: 100 })
  assert.is(windowOf(20, 0, 1), 100)
  assert.is(windowOf(80, 100, 1), 100, 'four times is tolerated')
  assert.is(windowOf(81, 200), 70)
  assert.is(windowOf(81, 300), 70, 'too soon, and no growth either')
  assert.is(windowOf(81, 699), 70)
  assert.is(windowOf(81, 700), 49)
  assert.is(windowOf(81, 1200), 34)
  assert.is(windowOf(20, 1300), 35)
})

test('a halving holds the latency guard back too: the slow answers were sent before it', () => {
  const { windowOf, overload } = drive({ start: 64 })
  windowOf(10, 0, 1)
  assert.is(overload(1000), 32)
  assert.is(windowOf(500, 1400), 32)
  assert.is(windowOf(500, 1500), 22)
})

test('slowness alone cuts no lower than it may, overload does', () => {
  const { windowOf, overload } = drive({ start: 32, latencyMin: 16 })
  windowOf(10, 0, 1)
  assert.equal(
    [1000, 2000, 3000].map((t) => windowOf(500, t)),
    [22, 16, 16],
  )
  assert.is(overload(5000), 8)
  // What overload has cut stays cut while it is slow.
  assert.is(windowOf(500, 6000), 8)
})

test('never goes under its minimum', () => {
  const { windowOf } = drive({ start: 4, min: 3 })
  windowOf(10, 0, 1)
  assert.equal(
    [1000, 2000, 3000].map((t) => windowOf(100, t)),
    [3, 3, 3],
  )
})

test('the least latency drifts up by a quarter a minute, so a slower store is borne in the end', () => {
  const { windowOf } = drive({ start: 100, max: 100 })
  windowOf(20, 0, 1)
  assert.is(windowOf(120, 59_999), 70, '120 > 4 x 20')
  assert.is(windowOf(100, 60_000), 71, '100 = 4 x 25')
  assert.is(windowOf(120, 119_999), 49)
  assert.is(windowOf(120, 120_000, 1), 49, 'tolerated: 120 < 4 x 31.25')
})

test('after an hour without work it learns anew', () => {
  const { windowOf } = drive({ start: 8 })
  windowOf(1, 0)
  assert.is(windowOf(500, 3_600_000), 32)
  assert.is(windowOf(1000, 3_600_100), 64)
})

test('what failed is no measure of speed', () => {
  const { aimd, windowOf } = drive({ start: 8 })
  for (let i = 0; i < 100; i++) aimd.observe({ elapsedMs: 0.1, outcome: 'error' }, 8, i)
  assert.is(aimd.limit, 8)
  assert.is(windowOf(20, 200), 16)
  assert.is(windowOf(60, 300), 32)
})

test('differences under a millisecond are no queue', () => {
  const { windowOf } = drive({ start: 8 })
  windowOf(0, 0)
  assert.is(windowOf(3.9, 100), 32)
})

test('a median, so that a tenth of very slow answers cuts nothing', () => {
  const { aimd, windowOf } = drive({ start: 20 })
  windowOf(20, 0, 1)
  for (let i = 0; i < 20; i++) aimd.observe({ elapsedMs: i % 3 ? 20 : 9000, outcome: 'ok' }, 20, 100)
  assert.is(aimd.limit, 40)
})

test('the minute of the drift begins anew with each new least', () => {
  const { windowOf } = drive({ start: 100, max: 100 })
  windowOf(40, 0, 1)
  windowOf(20, 50_000, 1)
  assert.is(windowOf(81, 109_999), 70, '81 > 4 x 20')
  assert.is(windowOf(81, 110_000, 1), 70, '81 < 4 x 25')
})

test('kinds of work have each their own least latency and their own window', () => {
  const { aimd } = drive({ start: 8 })
  for (let i = 0; i < 7; i++) {
    aimd.observe({ elapsedMs: 1, outcome: 'ok', kind: 'get' }, 8, i)
    aimd.observe({ elapsedMs: 100, outcome: 'ok', kind: 'put' }, 8, i)
  }
  assert.is(aimd.limit, 8, 'no window is full')
  aimd.observe({ elapsedMs: 100, outcome: 'ok', kind: 'put' }, 8, 8)
  assert.is(aimd.limit, 16, 'the puts')
  for (let i = 0; i < 16; i++) aimd.observe({ elapsedMs: 401, outcome: 'ok', kind: 'put' }, 16, 1000)
  assert.is(aimd.limit, 11, 'compared with puts')
})

test('any number of kinds costs no more than thirty-two', () => {
  const { aimd } = drive({ start: 8 })
  const fill = (kind: string, elapsedMs: number, nowMs: number): number => {
    for (let i = 0; i < Math.max(8, aimd.limit); i++)
      aimd.observe({ elapsedMs, outcome: 'ok', kind }, 1, nowMs)
    return aimd.limit
  }
  fill('first', 1, 0)
  for (let i = 0; i < 31; i++) fill(`kind ${i}`, 1, 0)
  assert.is(fill('first', 5, 1000), 5, 'still known')
  fill('one more', 1, 1000)
  assert.is(fill('first', 5, 2000), 5, 'learned anew')
})

test('settings that make no sense are refused', () => {
  for (const wrong of [{ min: 0 }, { start: 200 }, { min: 5 }, { start: 4.5 }, { max: Number.NaN }])
    assert.throws(
      () => drive(wrong),
      (e: unknown) => e instanceof RangeError,
      JSON.stringify(wrong),
    )
})

test.run()
