import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Lane } from '../../../native/zfs/lanes.ts'

const test = suite('lanes')

test('in the order of coming, never more than its width', async () => {
  const lane = new Lane(2)
  const order: number[] = []
  let running = 0
  let most = 0
  const work = async (n: number): Promise<void> => {
    const place = await lane.enter()
    running += 1
    most = Math.max(most, running)
    order.push(n)
    await new Promise((resolve) => setImmediate(resolve))
    running -= 1
    place.release()
    place.release()
  }
  await Promise.all([0, 1, 2, 3, 4, 5, 6].map(work))
  assert.equal([order, most, lane.running, lane.waiting], [[0, 1, 2, 3, 4, 5, 6], 2, 0, 0])
})

test('who gives up leaves the line', async () => {
  const lane = new Lane(1)
  const first = await lane.enter()
  const controller = new AbortController()
  const reason = new Error('enough')
  const second = lane.enter(controller.signal).catch((error: unknown) => error)
  const third = lane.enter()
  controller.abort(reason)
  assert.is(await second, reason)
  first.release()
  ;(await third).release()
  assert.equal([lane.running, lane.waiting], [0, 0])
})

test('a width is a number from 1', () => {
  for (const width of [0, -1, 1.5, Number.NaN]) assert.throws(() => new Lane(width), /no number/)
})

test.run()
