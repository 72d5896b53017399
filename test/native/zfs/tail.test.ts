import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Tail } from '../../../native/zfs/tail.ts'

const test = suite('tail')

test('what fits is kept whole', () => {
  const tail = new Tail(10)
  assert.is(tail.text, '')
  for (const part of ['01234', '56789']) tail.push(Buffer.from(part))
  assert.is(tail.text, '0123456789')
})

test('of more the end is kept, however it came', () => {
  const all = Array.from({ length: 1000 }, (_, n) => String(n % 10)).join('')
  for (const size of [1, 3, 7, 10, 11, 19, 20, 333, 1000]) {
    const tail = new Tail(10)
    for (let at = 0; at < all.length; at += size) tail.push(Buffer.from(all.slice(at, at + size)))
    assert.is(tail.text, '...0123456789', `pieces of ${size}`)
  }
})

test.run()
