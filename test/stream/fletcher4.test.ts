import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ByteOrder, Fletcher4 } from '../../pipeline/stream/fletcher4.ts'
import { WINDOW_BYTES } from '../../pipeline/stream/fletcher4-wasm.ts'
import { int, bytes as randomBytes, runSeed, seeded } from '../support/random.ts'

const fletcher4 = suite('fletcher4')

/** As the definition says it, one word after the other. */
function plain(bytes: Buffer, order: ByteOrder): [bigint, bigint, bigint, bigint] {
  let [a, b, c, d] = [0n, 0n, 0n, 0n]
  for (let at = 0; at < bytes.length; at += 4) {
    a += BigInt(order === 'little' ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
    b = BigInt.asUintN(64, b + a)
    c = BigInt.asUintN(64, c + b)
    d = BigInt.asUintN(64, d + c)
  }
  return [BigInt.asUintN(64, a), b, c, d]
}

function summed(bytes: Buffer, order: ByteOrder): Fletcher4 {
  const sum = new Fletcher4(order)
  sum.update(bytes)
  return sum
}

for (const order of ['little', 'big'] as const) {
  fletcher4(`${order}: what is known by hand`, () => {
    const words = [1, 2, 3, 0xffffffff]
    const bytes = Buffer.alloc(16)
    for (const [i, word] of words.entries())
      if (order === 'little') bytes.writeUInt32LE(word, 4 * i)
      else bytes.writeUInt32BE(word, 4 * i)
    assert.equal(summed(bytes, order).sums(), [
      0x1_0000_0005n,
      1n + 3n + 6n + 0x1_0000_0005n,
      1n + 4n + 10n + 15n + 0x1_0000_0000n,
      1n + 5n + 15n + 30n + 0x1_0000_0000n,
    ])
  })

  fletcher4(`${order}: the plain sum, at every length and past 2^64`, () => {
    const random = seeded(runSeed(`fletcher4 ${order}`))
    const bytes = randomBytes(random, 4 * 100)
    for (let length = 0; length <= bytes.length; length += 4)
      assert.equal(
        summed(bytes.subarray(0, length), order).sums(),
        plain(bytes.subarray(0, length), order),
        `${length}`,
      )
    const full = Buffer.alloc(400_000, 0xff)
    assert.equal(summed(full, order).sums(), plain(full, order))
  })

  fletcher4(`${order}: around the length of the window`, () => {
    const bytes = randomBytes(seeded(7), 2 * WINDOW_BYTES + 64)
    for (const length of [-8, -4, 0, 4, 8, WINDOW_BYTES - 4, WINDOW_BYTES, WINDOW_BYTES + 4]) {
      const part = bytes.subarray(0, WINDOW_BYTES + length)
      assert.equal(summed(part, order).sums(), plain(part, order))
    }
  })

  fletcher4(`${order}: the same in pieces of any size, words torn apart`, () => {
    const random = seeded(runSeed(`fletcher4 pieces ${order}`))
    for (let turn = 0; turn < 200; turn++) {
      const bytes = randomBytes(random, 4 * int(random, 0, turn === 0 ? WINDOW_BYTES : 500))
      const most = turn % 2 === 0 ? 5 : 700
      const sum = new Fletcher4(order)
      for (let at = 0; at < bytes.length; ) {
        const to = Math.min(bytes.length, at + int(random, 0, most))
        sum.update(bytes, at, to)
        at = to
      }
      assert.equal(sum.sums(), plain(bytes, order))
    }
  })

  fletcher4(`${order}: matches what it writes, and nothing else`, () => {
    const bytes = randomBytes(seeded(9), 4096)
    const sum = summed(bytes, order)
    const view = new DataView(new ArrayBuffer(40))
    sum.write(view, 4)
    const read = [0, 1, 2, 3].map((i) => view.getBigUint64(4 + 8 * i, order === 'little'))
    assert.equal(read, plain(bytes, order))
    assert.ok(sum.matches(view, 4))
    for (let bit = 0; bit < 256; bit++) {
      const at = 4 + (bit >> 3)
      view.setUint8(at, view.getUint8(at) ^ (1 << (bit & 7)))
      assert.not(sum.matches(view, 4))
      view.setUint8(at, view.getUint8(at) ^ (1 << (bit & 7)))
    }
  })
}

fletcher4('sums taken by turns do not mix', () => {
  const [one, other] = [randomBytes(seeded(1), 4000), randomBytes(seeded(2), 4000)]
  const [first, second, third] = [new Fletcher4('little'), new Fletcher4('big'), new Fletcher4('little')]
  for (let at = 0; at < 4000; at += 25) {
    first.update(one, at, at + 25)
    second.update(other, at, at + 25)
    third.update(other, at, at + 25)
  }
  assert.equal(first.sums(), plain(one, 'little'))
  assert.equal(second.sums(), plain(other, 'big'))
  assert.equal(third.sums(), plain(other, 'little'))
})

fletcher4('changes and keeps nothing of what it is given', () => {
  const bytes = randomBytes(seeded(3), 1000)
  const before = Buffer.from(bytes)
  const sum = new Fletcher4('little')
  sum.update(bytes, 0, 998)
  assert.equal(bytes, before)
  bytes.fill(0, 0, 998)
  sum.update(bytes, 998)
  assert.equal(sum.sums(), plain(before, 'little'))
})

fletcher4.run()
