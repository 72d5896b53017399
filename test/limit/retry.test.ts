import { getEventListeners } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  codeOf,
  OutcomeUnknownError,
  StoreUnavailableError,
  TidepoolError,
} from '../../pipeline/base/errors.ts'
import { type AttemptReport, type RetryOptions, retry, retryScope } from '../../pipeline/limit/retry.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'
import { chance, int, runSeed, seeded } from '../support/random.ts'

const test = suite('retry')

const unavailable = (overloaded = false) =>
  new StoreUnavailableError('node 1 did not answer in 12 s', { overloaded, hint: 'Look at node 1.' })

function setUp(options: Partial<RetryOptions> = {}) {
  const clock = new ManualClock()
  const scope = retryScope({ clock, random: () => 0.5 })
  return { ...scope, clock, options: { ...scope, what: 'put chunk 7', ...options } }
}

/** Fails with each error in turn, then succeeds; counts and times its calls. */
function failing(clock: ManualClock, ...errors: unknown[]) {
  const calls: number[] = []
  const operation = async (attempt: number): Promise<string> => {
    calls.push(clock.monotonicMs())
    if (attempt <= errors.length) throw errors[attempt - 1]
    return `attempt ${attempt}`
  }
  return { calls, operation }
}

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

async function unavailableOf(work: Promise<unknown>): Promise<StoreUnavailableError> {
  const error = await errorOf(work)
  if (error instanceof StoreUnavailableError) return error
  throw new Error('no StoreUnavailableError', { cause: error })
}

test('tries again after the delays of the backoff until it succeeds', async () => {
  const { clock, options } = setUp()
  const { calls, operation } = failing(clock, unavailable(), unavailable(), unavailable())
  assert.is(await clock.run(retry(operation, options)), 'attempt 4')
  assert.equal(calls, [0, 100, 275, 562.5])
  assert.is(clock.pendingSleeps, 0)
})

test('rethrows what is not temporary at once, the very same object', async () => {
  for (const error of [
    new TidepoolError('no-such-keyspace', 'there is none'),
    new TypeError('a bug'),
    'a string',
  ]) {
    const { clock, options } = setUp()
    const { calls, operation } = failing(clock, error)
    assert.is(await errorOf(clock.run(retry(operation, options))), error)
    assert.is(calls.length, 1)
  }
})

test('never tries again what may have happened, though it is temporary', async () => {
  const { clock, options } = setUp()
  const error = new OutcomeUnknownError('commit of write 1')
  const { calls, operation } = failing(clock, error)
  assert.is(await errorOf(clock.run(retry(operation, options))), error)
  assert.is(calls.length, 1)
  const later = failing(clock, unavailable(), error)
  assert.is(await errorOf(clock.run(retry(later.operation, options))), error)
  assert.is(later.calls.length, 2)
})

test('an operation that throws before it returns a promise counts as one that failed', async () => {
  const { clock, options } = setUp()
  let calls = 0
  const operation = (): Promise<string> => {
    if (++calls === 1) throw unavailable()
    return Promise.resolve('done')
  }
  assert.is(await clock.run(retry(operation, options)), 'done')
})

test('gives up after as many attempts as it may make, with the last error and how often it was tried', async () => {
  const { clock, options } = setUp({ attempts: 3 })
  const last = unavailable(true)
  const { calls, operation } = failing(clock, unavailable(), unavailable(), last, unavailable())
  const error = await unavailableOf(clock.run(retry(operation, options)))
  assert.is(calls.length, 3)
  assert.is(error.code, 'store-unavailable')
  assert.is(error.message, 'put chunk 7: tried 3 times in 0.3 s: node 1 did not answer in 12 s')
  assert.is(error.cause, last)
  assert.is(error.hint, 'Look at node 1.')
  assert.equal([error.temporary, error.overloaded], [true, true])
  assert.equal(error.facts, { attempts: 3, elapsedMs: 275 })
})

test('other temporary errors keep their own code and facts', async () => {
  const { clock, options } = setUp({ attempts: 1 })
  const busy = new TidepoolError('lock-held', 'pid 7 holds it', { temporary: true, facts: { pid: 7 } })
  const error = await errorOf(retry(failing(clock, busy).operation, options))
  assert.is(codeOf(error), 'lock-held')
  assert.equal(error instanceof TidepoolError && error.facts, { pid: 7, attempts: 1, elapsedMs: 0 })
})

test('twenty attempts and five minutes where nothing else is said', async () => {
  const often = setUp()
  const quick = { ...often.options, random: () => 0 }
  const always = Array.from({ length: 30 }, () => unavailable())
  const fast = failing(often.clock, ...always)
  await errorOf(often.clock.run(retry(fast.operation, quick)))
  assert.is(fast.calls.length, 20)

  const long = setUp()
  const slow = async (): Promise<never> => {
    await long.clock.sleep(20_000)
    throw unavailable()
  }
  await unavailableOf(long.clock.run(retry(slow, long.options)))
  const elapsedMs = long.clock.monotonicMs()
  assert.ok(elapsedMs > 270_000 && elapsedMs < 320_000, `${elapsedMs} ms`)
})

test('does not sleep into its deadline: whoever waits hears at once that it is over', async () => {
  const { clock, options } = setUp({ deadlineMs: 300 })
  const { calls, operation } = failing(clock, ...Array.from({ length: 9 }, () => unavailable()))
  await errorOf(clock.run(retry(operation, options)))
  assert.equal(calls, [0, 100, 275])
  assert.is(clock.monotonicMs(), 275)
})

test('does not begin where the signal fired before', async () => {
  const { clock, options } = setUp()
  const reason = new Error('left before')
  const { calls, operation } = failing(clock)
  const signal = AbortSignal.abort(reason)
  assert.is(await errorOf(retry(operation, { ...options, signal })), reason)
  assert.is(calls.length, 0)
})

test('a signal ends each of its waits, and leaves no timer and no listener', async () => {
  const waits = {
    backoff: setUp(),
    budget: setUp(),
    circuit: setUp(),
  }
  for (let i = 0; i < 10; i++) await waits.budget.budget.take(1000)
  waits.circuit.circuit.failed(unavailable())
  await waits.circuit.clock.advance(30_000)
  await waits.circuit.circuit.pass(1_000_000)
  for (const [name, { clock, options }] of Object.entries(waits)) {
    const leaving = new AbortController()
    const reason = new Error('left')
    const { operation, calls } = failing(clock, unavailable())
    const left = errorOf(retry(operation, { ...options, signal: leaving.signal }))
    await clock.advance(name === 'budget' ? 500 : 0)
    assert.is(clock.pendingSleeps, 1, name)
    leaving.abort(reason)
    assert.is(await left, reason, name)
    assert.equal([clock.pendingSleeps, getEventListeners(leaving.signal, 'abort').length], [0, 0], name)
    assert.is(calls.length, name === 'circuit' ? 0 : 1, name)
  }
})

test('a signal that fires during an attempt ends it with that attempt', async () => {
  const { clock, options } = setUp()
  const leaving = new AbortController()
  const reason = new Error('left')
  let calls = 0
  const operation = async (): Promise<never> => {
    calls++
    leaving.abort(reason)
    throw unavailable()
  }
  assert.is(await errorOf(retry(operation, { ...options, signal: leaving.signal })), reason)
  assert.equal([calls, clock.pendingSleeps], [1, 0])
})

test('what an aborted transaction says of its outcome is not hidden behind the abort', async () => {
  const { options } = setUp()
  const leaving = new AbortController()
  const unknown = new OutcomeUnknownError('commit of write 1')
  const operation = async (): Promise<never> => {
    leaving.abort(new Error('left'))
    throw unknown
  }
  assert.is(await errorOf(retry(operation, { ...options, signal: leaving.signal })), unknown)
})

test('tells of each attempt what a limiter wants to know', async () => {
  const seen: AttemptReport[] = []
  const { clock, options } = setUp({ onAttempt: (report) => seen.push(report) })
  const overload = unavailable(true)
  const lost = unavailable()
  const errors = [overload, lost]
  const operation = async (attempt: number): Promise<void> => {
    await clock.sleep(attempt * 10)
    const error = errors[attempt - 1]
    if (error) throw error
  }
  await clock.run(retry(operation, options))
  assert.equal(seen, [
    { attempt: 1, elapsedMs: 10, outcome: 'overload', error: overload },
    { attempt: 2, elapsedMs: 20, outcome: 'error', error: lost },
    { attempt: 3, elapsedMs: 30, outcome: 'ok' },
  ])
})

test('retries of all operations together stay within a fifth of the successes, ten, and one a second', async () => {
  const clock = new ManualClock()
  const random = seeded(runSeed('retry budget'))
  const scope = retryScope({ clock, random })
  let successes = 0
  let failedRetries = 0
  const work = Array.from({ length: 40 }, async () => {
    for (let i = 0; i < 50; i++)
      await retry(
        async (attempt) => {
          await clock.sleep(20)
          if (chance(random, 0.3)) {
            if (attempt > 1) failedRetries++
            throw unavailable()
          }
          successes++
        },
        { ...scope, what: 'put' },
      )
  })
  await clock.run(Promise.all(work))
  assert.is(successes, 2000)
  const seconds = clock.monotonicMs() / 1000
  assert.ok(failedRetries <= 10 + successes / 5 + seconds, `${failedRetries} failed retries`)
  assert.ok(seconds < 60, `${seconds} s for what takes 1 s without failures`)
})

test('after an outage of two minutes all go on within seconds, and during it one a second asks', async () => {
  const clock = new ManualClock()
  const scope = retryScope({ clock, random: seeded(runSeed('outage')) })
  const asked: number[] = []
  const work = Array.from({ length: 100 }, () =>
    retry(
      async () => {
        asked.push(clock.monotonicMs())
        await clock.sleep(20)
        if (clock.monotonicMs() < 120_000) throw unavailable()
      },
      { ...scope, what: 'put' },
    ),
  )
  await clock.run(Promise.all(work))
  assert.ok(clock.monotonicMs() < 125_000, `the last after ${clock.monotonicMs()} ms`)
  const late = asked.filter((ms) => ms >= 31_000 && ms < 119_000)
  assert.ok(late.length >= 80 && late.length <= 89, `${late.length} probes in 88 s`)
  assert.is(clock.pendingSleeps, 0)
})

test('new operations are held back too while the store is silent', async () => {
  const clock = new ManualClock()
  const scope = retryScope({ clock, random: seeded(1) })
  const asked: number[] = []
  const arrivals = Array.from({ length: 600 }, async (_, i) => {
    await clock.sleep(i * 100)
    const attempt = async (): Promise<void> => {
      asked.push(clock.monotonicMs())
      if (clock.monotonicMs() < 60_000) throw unavailable()
    }
    await retry(attempt, { ...scope, what: 'put' })
  })
  await clock.run(Promise.all(arrivals))
  assert.ok(asked.filter((ms) => ms < 30_000).length >= 300, 'each tried at least once')
  const during = asked.filter((ms) => ms >= 31_000 && ms < 59_000).length
  assert.ok(during >= 27 && during <= 29, `${during} attempts in 28 s`)
})

test('where the store is silent until the deadline, who was never tried says so', async () => {
  const { clock, circuit, options } = setUp({ deadlineMs: 500 })
  const cause = unavailable()
  circuit.failed(cause)
  await clock.advance(60_000)
  await circuit.pass(1_000_000)
  const { calls, operation } = failing(clock)
  const error = await unavailableOf(clock.run(retry(operation, options)))
  assert.is(
    error.message,
    'put chunk 7: not tried, the store does not answer; nothing succeeded there for 60.5 s',
  )
  assert.is(error.cause, cause)
  assert.is(calls.length, 0)
})

test('whatever fails and whenever somebody leaves, nothing is left behind', async () => {
  const random = seeded(runSeed('retry property'))
  const clock = new ManualClock()
  const scope = retryScope({ clock, random })
  const signals: AbortSignal[] = []
  let running = 0
  const work = Array.from({ length: 300 }, async () => {
    await clock.sleep(int(random, 0, 60_000))
    const leaving = new AbortController()
    signals.push(leaving.signal)
    const leave = clock.sleep(int(random, 0, 20_000)).then(() => leaving.abort(new Error('left')))
    const failure = random() < 0.1 ? 0.95 : 0.3
    const operation = async (): Promise<void> => {
      running++
      try {
        await clock.sleep(int(random, 1, 200), leaving.signal)
        if (chance(random, failure)) throw unavailable(chance(random, 0.5))
        if (chance(random, 0.02)) throw new TidepoolError('refused', 'for good')
      } finally {
        running--
      }
    }
    const error = await errorOf(retry(operation, { ...scope, what: 'put', signal: leaving.signal }))
    assert.is(running >= 0, true)
    if (error instanceof Error && error.message === 'left') assert.ok(leaving.signal.aborted)
    await leave
  })
  await clock.run(Promise.all(work))
  await settle()
  assert.equal(
    [running, clock.pendingSleeps, scope.circuit.waiting, scope.budget.state.waiting],
    [0, 0, 0, 0],
  )
  for (const signal of signals) assert.is(getEventListeners(signal, 'abort').length, 0)
})

test.run()
