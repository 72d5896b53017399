import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bucketOf, bucketsBelow, ROWS, STRIPES } from '../../../pipeline/stores/cassandra/buckets.ts'

const test = suite('cassandra: buckets')
const GROUP = STRIPES * ROWS

test('neighbours lie in different partitions, and no partition holds more than its rows', () => {
  const seqs = Array.from({ length: GROUP * 5 }, (_, seq) => seq)
  const rows = new Map<number, number>()
  for (const seq of seqs) {
    rows.set(bucketOf(seq), (rows.get(bucketOf(seq)) ?? 0) + 1)
    const neighbours = new Set(Array.from({ length: STRIPES }, (_, n) => bucketOf(seq - (seq % STRIPES) + n)))
    assert.is(neighbours.size, STRIPES)
  }
  assert.is(rows.size, STRIPES * 5)
  for (const count of rows.values()) assert.is(count, ROWS)
})

test('a removal goes over every partition that holds a chunk, and over no other', () => {
  for (const seqHigh of [0, 1, 2, 15, 16, 17, 255, 256, 257, 271, 272, 273, 511, 512, 4096, 4097]) {
    const used = new Set(Array.from({ length: seqHigh }, (_, seq) => bucketOf(seq)))
    const removed = Array.from({ length: bucketsBelow(seqHigh) }, (_, bucket) => bucket)
    assert.equal(
      [...used].sort((a, b) => a - b),
      removed,
      `below ${seqHigh}`,
    )
  }
})

test('the greatest number of a chunk still has a bucket that fits an int', () => {
  assert.ok(bucketOf(2 ** 31 - 1) < 2 ** 31)
  assert.ok(bucketsBelow(2 ** 31 - 1) < 2 ** 31)
})

test.run()
