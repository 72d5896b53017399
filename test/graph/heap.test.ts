import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Heap } from '../../pipeline/graph/heap.ts'
import { int, runSeed, seeded } from '../support/random.ts'

const test = suite('graph: heap')

test('gives back what was pushed, smallest first, also when pushes and pops are mixed', () => {
  const random = seeded(runSeed('heap'))
  for (let round = 0; round < 200; round++) {
    const heap = new Heap<number>((a, b) => a < b)
    const held: number[] = []
    for (let step = 0; step < 60; step++) {
      if (int(random, 0, 2) > 0) {
        const item = int(random, 0, 9)
        heap.push(item)
        held.push(item)
        held.sort((a, b) => a - b)
      } else assert.is(heap.pop(), held.shift())
    }
    while (held.length > 0) assert.is(heap.pop(), held.shift())
    assert.is(heap.pop(), undefined)
  }
})

test.run()
