import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytes, int, pick, seeded, shuffled } from './random.ts'

const test = suite('seeded random')

test('the same seed gives the same numbers, another seed others, all of them in [0, 1)', () => {
  const draw = (seed: number) => {
    const random = seeded(seed)
    return Array.from({ length: 1000 }, () => random())
  }
  assert.equal(draw(7), draw(7))
  assert.not.equal(draw(7), draw(8))
  assert.ok(draw(7).every((x) => x >= 0 && x < 1))
  const mean = draw(7).reduce((sum, x) => sum + x, 0) / 1000
  assert.ok(Math.abs(mean - 0.5) < 0.05, `mean ${mean}`)
})

test('int reaches both of its ends and nothing beyond', () => {
  const random = seeded(1)
  const seen = new Set(Array.from({ length: 200 }, () => int(random, -1, 2)))
  assert.equal([...seen].sort(), [-1, 0, 1, 2])
})

test('bytes have the length asked for, and draw once whatever it is', () => {
  const one = seeded(3)
  const other = seeded(3)
  assert.is(bytes(one, 0).length, 0)
  const odd = bytes(other, 100_003)
  assert.is(odd.length, 100_003)
  assert.is(one(), other())
  const counts = new Uint32Array(256)
  for (const byte of odd) counts[byte]!++
  assert.ok(counts.every((n) => n > 250 && n < 550))
})

test('pick and shuffled lose nothing and invent nothing', () => {
  const random = seeded(5)
  const list = [1, 2, 3, 4, 5]
  assert.equal(shuffled(random, list).sort(), list)
  assert.equal([...new Set(Array.from({ length: 100 }, () => pick(random, list)))].sort(), list)
  assert.throws(() => pick(random, []), 'nothing to pick')
})

test.run()
