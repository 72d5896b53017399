import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { backoff } from '../../pipeline/limit/backoff.ts'
import { runSeed, seeded } from '../support/random.ts'

const test = suite('backoff')

function first(count: number, random: () => number): number[] {
  const delays = backoff({ random })
  return Array.from({ length: count }, () => delays.next().value)
}

test('with the highest draws the delays treble up to ten seconds', () => {
  assert.equal(
    first(8, () => 1),
    [150, 450, 1350, 4050, 10_000, 10_000, 10_000, 10_000],
  )
})

test('with the lowest draws they stay at the base', () => {
  assert.equal(
    first(3, () => 0),
    [50, 50, 50],
  )
})

test('with the middle draws they follow the formula', () => {
  assert.equal(
    first(4, () => 0.5),
    [100, 175, 287.5, 456.25],
  )
})

test('always between the base and the cap, and never more than three times the one before', () => {
  const random = seeded(runSeed('backoff'))
  for (let run = 0; run < 100; run++) {
    let before = 50
    for (const delay of first(50, random)) {
      assert.ok(delay >= 50 && delay <= 10_000 && delay <= before * 3, `${delay} after ${before}`)
      before = delay
    }
  }
})

test('those who failed together come back apart', () => {
  const random = seeded(1)
  const thirds = Array.from({ length: 200 }, () => first(3, random)[2] ?? 0)
  const inOneSlot = Math.max(
    ...thirds.map((slot) => thirds.filter((delay) => Math.abs(delay - slot) < 5).length),
  )
  assert.ok(inOneSlot < 30, `${inOneSlot} of 200 within ten milliseconds`)
})

test.run()
