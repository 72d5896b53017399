import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Tally } from '../../pipeline/stream/tally.ts'

const tally = suite('tally')

tally('is exact past 2^53', () => {
  const sum = new Tally()
  let expected = 0n
  for (let i = 0; i < 10_000; i++) {
    const size = 2 ** 52 - 3 * i - 1
    sum.add(size)
    sum.add(1)
    expected += BigInt(size) + 1n
  }
  assert.is(sum.total, expected)
  assert.ok(sum.total > 2n ** 65n)
})

tally('is zero at first and adds zero', () => {
  const sum = new Tally()
  sum.add(0)
  assert.is(sum.total, 0n)
})

tally.run()
