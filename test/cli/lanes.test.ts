import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { childrenFirst, drawLanes } from '../../daemon/cli/lanes.ts'

const test = suite('lanes')
const node = (id: string, ...parents: string[]) => ({ id, parents, mark: 'o', lines: [id] })

test('a chain is one lane', () => {
  assert.equal(drawLanes([node('c', 'b'), node('b', 'a'), node('a')]), ['o  c', 'o  b', 'o  a'])
})

test('a branch is a lane beside it that joins where it began', () => {
  assert.equal(drawLanes([node('c', 'a'), node('b', 'a'), node('a')]), ['o  c', '│ o  b', '├─╯', 'o  a'])
})

test('a node with two ways to it forks, and text below it stands beside the lanes', () => {
  const lines = ['d', 'from c', 'from a']
  assert.equal(drawLanes([{ ...node('d', 'c', 'a'), lines }, node('c', 'b'), node('b', 'a'), node('a')]), [
    'o  d',
    '│  from c',
    '│  from a',
    '├─╮',
    'o │  c',
    'o │  b',
    '├─╯',
    'o  a',
  ])
})

test('a line across other lanes crosses them', () => {
  const nodes = [node('x', 'a'), node('y', 'b'), node('z', 'a'), node('a'), node('b')]
  assert.equal(drawLanes(nodes), ['o  x', '│ o  y', '│ │ o  z', '├─┼─╯', 'o │  a', '  o  b'])
})

test('what comes from nowhere begins and ends its lane', () => {
  assert.equal(drawLanes([node('b', 'gone'), node('a')]), ['o  b', 'o  a'])
})

test('each node is drawn after all that come from it, else in the order given', () => {
  const order = childrenFirst([node('a'), node('c', 'a'), node('b', 'a'), node('d', 'b')])
  assert.is(order.map(({ id }) => id).join(''), 'cdba')
})

test('a circle is drawn too', () => {
  assert.is(childrenFirst([node('a', 'b'), node('b', 'a')]).length, 2)
})

test('a hundred nodes in a row, each with a second way over two, need three lanes at most', () => {
  const nodes = Array.from({ length: 100 }, (_, at) => node(`${100 - at}`, `${99 - at}`, `${98 - at}`))
  const drawn = drawLanes(childrenFirst(nodes))
  assert.ok(Math.max(...drawn.map((line) => line.length)) < 16)
})

test.run()
