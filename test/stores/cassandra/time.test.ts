import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { agreedMs, MOST_DIFFERENCE_MS, type Reading } from '../../../pipeline/stores/cassandra/time.ts'

const test = suite('cassandra: time')
const NOW = Date.UTC(2026, 10, 22)

/** A node whose clock is `aheadMs` ahead, asked at 1000 and answering `tripMs` later, its clock read halfway. */
const reading = (node: string, aheadMs: number, tripMs = 10): Reading => ({
  node,
  askedMs: 1000,
  answeredMs: 1000 + tripMs,
  shownMs: NOW + tripMs / 2 + aheadMs,
})

test('one node says what time it is', () => {
  assert.is(agreedMs([reading('a', 0)]), NOW + 5)
})

test('of several the slowest is believed', () => {
  const agreed = agreedMs([reading('a', 0), reading('b', 5000), reading('c', -3000)])
  assert.ok(Math.abs(agreed - (NOW - 3000)) <= 10)
})

test('nodes that differ by over a minute are refused, with their names', () => {
  assert.throws(
    () => agreedMs([reading('a', 0), reading('b', MOST_DIFFERENCE_MS + 20), reading('c', 0)]),
    (error: unknown) =>
      error instanceof TidepoolError && error.code === 'clocks-differ' && /of b and a/.test(error.message),
  )
})

test('what a slow answer may explain is no difference', () => {
  assert.ok(agreedMs([reading('a', 0), reading('b', MOST_DIFFERENCE_MS - 20)]))
  assert.ok(agreedMs([reading('a', 0), reading('b', MOST_DIFFERENCE_MS + 4000, 10_000)]))
})

test.run()
