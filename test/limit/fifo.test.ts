import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Fifo, type Place } from '../../pipeline/limit/fifo.ts'
import { int, pick, runSeed, seeded } from '../support/random.ts'

const test = suite('fifo')

test('whoever leaves from the front, the middle or the end leaves the others in order', () => {
  const line = new Fifo<string>()
  const places = ['a', 'b', 'c', 'd', 'e'].map((name) => line.add(name))
  for (const i of [0, 2, 4, 2]) line.remove(places[i]!)
  assert.is(line.size, 2)
  assert.is(line.first, 'b')
  assert.equal([line.shift(), line.shift(), line.shift()], ['b', 'd', undefined])
  assert.is(line.size, 0)
  line.add('f')
  assert.is(line.first, 'f')
})

test('behaves like an array whatever is done to it', () => {
  const random = seeded(runSeed('fifo'))
  const line = new Fifo<number>()
  const model: Place<number>[] = []
  for (let i = 0; i < 5000; i++) {
    const what = pick(random, ['add', 'add', 'shift', 'remove'])
    if (what === 'add') model.push(line.add(i))
    if (what === 'shift') assert.is(line.shift(), model.shift()?.value)
    if (what === 'remove' && model.length > 0)
      for (const place of model.splice(int(random, 0, model.length - 1), 1)) line.remove(place)
    assert.is(line.size, model.length)
    assert.is(line.first, model[0]?.value)
  }
})

test.run()
