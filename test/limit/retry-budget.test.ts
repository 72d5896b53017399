import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RetryBudget } from '../../pipeline/limit/retry-budget.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'

const test = suite('retry budget')

const LATER = 1_000_000

/** Takes as many retries as there are without waiting for time. */
async function drain(budget: RetryBudget): Promise<number> {
  let count = 0
  while (budget.state.retries >= 1) {
    assert.is(await budget.take(LATER), true)
    count++
  }
  return count
}

test('ten to begin with, then one for every five successes, and never more than ten saved up', async () => {
  const budget = new RetryBudget(new ManualClock())
  assert.is(await drain(budget), 10)
  for (let i = 0; i < 4; i++) budget.succeeded({ retried: false })
  assert.is(await drain(budget), 0)
  budget.succeeded({ retried: false })
  assert.is(await drain(budget), 1)
  for (let i = 0; i < 1000; i++) budget.succeeded({ retried: false })
  assert.is(await drain(budget), 10)
})

test('waits where it is empty, and goes on with successes of others', async () => {
  const clock = new ManualClock()
  const budget = new RetryBudget(clock)
  await drain(budget)
  const passed: number[] = []
  for (const i of [1, 2]) void budget.take(LATER).then(() => passed.push(i))
  for (let i = 0; i < 5; i++) budget.succeeded({ retried: false })
  await settle()
  assert.equal(passed, [1])
  for (let i = 0; i < 5; i++) budget.succeeded({ retried: false })
  await settle()
  assert.equal(passed, [1, 2])
  assert.is(clock.pendingSleeps, 0)
})

test('lets one a second through when nothing succeeds, else all would wait for each other', async () => {
  const clock = new ManualClock()
  const budget = new RetryBudget(clock)
  await drain(budget)
  const passedMs: number[] = []
  for (let i = 0; i < 3; i++) void budget.take(LATER).then(() => passedMs.push(clock.monotonicMs()))
  await clock.advance(5000)
  assert.equal(passedMs, [1000, 2000, 3000])
})

test('a retry that succeeds gives back what it took: those who waited follow each other at once', async () => {
  const clock = new ManualClock()
  const budget = new RetryBudget(clock)
  await drain(budget)
  const passedMs: number[] = []
  const work = Array.from({ length: 20 }, async () => {
    await budget.take(LATER)
    await clock.sleep(20)
    passedMs.push(clock.monotonicMs())
    budget.succeeded({ retried: true })
  })
  await clock.run(Promise.all(work))
  assert.ok((passedMs.at(-1) ?? 0) <= 1000 + 20 * 20, `the last after ${passedMs.at(-1)} ms`)
})

test('who waits too long is told so', async () => {
  const clock = new ManualClock()
  const budget = new RetryBudget(clock)
  await drain(budget)
  const late = budget.take(400)
  await clock.advance(400)
  assert.is(await late, false)
  assert.equal([budget.state.waiting, clock.pendingSleeps], [0, 0])
})

test.run()
