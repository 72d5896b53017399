import { getEventListeners } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ManualClock } from './manual-clock.ts'

const test = suite('manual clock')

test('wakes each sleeper at its own moment, in order, and those they start too', async () => {
  const clock = new ManualClock()
  const seen: string[] = []
  const note = (name: string) => () => seen.push(`${name}@${clock.monotonicMs()}`)
  clock.sleep(30).then(note('c'))
  clock.sleep(10).then(note('a'))
  clock
    .sleep(10)
    .then(note('b'))
    .then(() => clock.sleep(15))
    .then(note('later'))
  assert.is(clock.pendingSleeps, 3)
  await clock.advance(26)
  assert.equal(seen, ['a@10', 'b@10', 'later@25'])
  assert.is(clock.pendingSleeps, 1)
  assert.is(clock.nextDueMs, 4)
  await clock.advance(4)
  assert.equal(seen.at(-1), 'c@30')
  assert.is(clock.monotonicMs(), 30)
})

test('a sleep ends with the reason of its signal, and leaves neither sleeper nor listener', async () => {
  const clock = new ManualClock()
  const left = new AbortController()
  const stayed = new AbortController()
  const reason = new Error('left')
  const sleeping = clock.sleep(10, left.signal).then(
    () => undefined,
    (error: unknown) => error,
  )
  const other = clock.sleep(10, stayed.signal)
  left.abort(reason)
  assert.is(await sleeping, reason)
  assert.is(clock.pendingSleeps, 1)
  await clock.advance(10)
  await other
  assert.is(getEventListeners(left.signal, 'abort').length, 0)
  assert.is(getEventListeners(stayed.signal, 'abort').length, 0)
  assert.is(await clock.sleep(10, left.signal).catch((error: unknown) => error), reason)
})

test('run goes on until the work has settled, and says so where it never can', async () => {
  const clock = new ManualClock()
  const work = async () => {
    for (let i = 0; i < 5; i++) await clock.sleep(100)
    return 'done'
  }
  assert.is(await clock.run(work()), 'done')
  assert.is(clock.monotonicMs(), 500)
  const stuck = await clock.run(new Promise(() => {})).catch((error: Error) => error.message)
  assert.match(String(stuck), 'nobody sleeps')
})

test.run()
