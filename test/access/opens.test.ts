import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Opens, type OpensOptions } from '../../daemon/access/opens.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'
import { int, pick, runSeed, seeded } from '../support/random.ts'

const test = suite('access: opens')

const P = projectId('p1')
const Q = projectId('p2')

interface Begun {
  readonly id: ProjectId
  readonly signal: AbortSignal
  done(path?: string): void
  fail(error: unknown): void
}

/** Opens that end when the test says so, or with their signal. */
function world(options: Partial<OpensOptions> = {}) {
  const clock = new ManualClock()
  const begun: Begun[] = []
  const opens = new Opens({
    clock,
    open: (id, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        begun.push({ id, signal, done: (path = `/real/${id}`) => resolve(path), fail: reject })
      }),
    ...options,
  })
  const names = () => begun.map(({ id }) => id)
  return { clock, opens, begun, names }
}

/** The code of its rejection, `open` where it is open, undefined while it waits. */
function outcome(promise: Promise<string>) {
  const state: { now: string | undefined } = { now: undefined }
  promise.then(
    () => {
      state.now = 'open'
    },
    (error: unknown) => {
      state.now = codeOf(error) ?? String(error)
    },
  )
  return state
}

const refusal = (code: string) => new TidepoolError(code, code)

test('all who come while it is being opened wait for the same open', async () => {
  const { opens, begun, clock } = world()
  const callers = Array.from({ length: 10 }, () => opens.open(P))
  await settle()
  assert.is(begun.length, 1)
  begun[0]?.done()
  assert.equal(new Set(await Promise.all(callers)), new Set(['/real/p1']))
  assert.is(clock.pendingSleeps, 0)
  assert.is(opens.state(P), undefined)
})

test('so many at a time, and those that were asked for by name first', async () => {
  const { opens, begun, names } = world({ atOnce: 2 })
  for (const id of ['a', 'b', 'c', 'd']) outcome(opens.open(projectId(id)))
  outcome(opens.open(projectId('e'), { explicit: true }))
  await settle()
  assert.equal(names(), ['a', 'b'])
  assert.is(opens.state(projectId('c'))?.kind, 'queued')
  // One that waits already is moved to the front by whoever asks for it by name.
  outcome(opens.open(projectId('d'), { explicit: true }))
  for (const next of ['e', 'd', 'c']) {
    begun[names().length - 2]?.done()
    await settle()
    assert.is(names().at(-1), next)
  }
})

test('a touch beyond the number that may wait is refused at once; one by name is not', async () => {
  const { opens, begun } = world({ maxWaiting: 3 })
  const waiting = [P, P, Q].map((id) => outcome(opens.open(id)))
  const more = outcome(opens.open(P))
  const named = outcome(opens.open(P, { explicit: true }))
  await settle()
  assert.is(more.now, 'opens-full')
  assert.is(named.now, undefined)
  begun[0]?.done()
  await settle()
  assert.equal(
    [...waiting, named].map(({ now }) => now),
    ['open', 'open', undefined, 'open'],
  )
})

test('a caller waits only so long; the open goes on, and is there for the next', async () => {
  const { opens, begun, clock } = world({ waitLimitMs: 1000 })
  const caller = outcome(opens.open(P))
  await clock.advance(999)
  assert.is(caller.now, undefined)
  await clock.advance(1)
  assert.is(caller.now, 'open-timeout')
  assert.not(begun[0]?.signal.aborted)
  assert.equal(opens.state(P), { kind: 'opening', ms: 1000, waiting: 0 })
  const next = opens.open(P)
  begun[0]?.done()
  assert.is(await next, '/real/p1')
  assert.is(begun.length, 1)
})

test('what was not begun when its last caller left is not begun any more', async () => {
  const { opens, begun, names, clock } = world({ atOnce: 1, waitLimitMs: 1000 })
  outcome(opens.open(P))
  const leaving = new AbortController()
  const left = outcome(opens.open(Q, { signal: leaving.signal }))
  await settle()
  leaving.abort(refusal('left'))
  await settle()
  assert.is(left.now, 'left')
  assert.is(opens.state(Q), undefined)
  await clock.advance(1000)
  begun[0]?.done()
  await settle()
  assert.equal(names(), [P])
})

test('an open that never ends is ended at its limit', async () => {
  const { opens, begun, clock } = world({ waitLimitMs: 10_000, openLimitMs: 5000 })
  const caller = outcome(opens.open(P))
  await clock.advance(5000)
  assert.is(caller.now, 'open-timeout')
  assert.ok(begun[0]?.signal.aborted)
  await settle()
  assert.is(opens.state(P)?.kind, 'failed')
  assert.is(clock.pendingSleeps, 0)
})

test('a failure is told again for 5 s without another try, then for twice as long each time, at the most 5 min', async () => {
  const { opens, begun, clock } = world()
  const fail = async () => {
    const caller = outcome(opens.open(P))
    await settle()
    begun.at(-1)?.fail(refusal('broken'))
    await settle()
    assert.is(caller.now, 'broken')
  }
  for (const [times, closedMs] of [5, 10, 20, 40, 80, 160, 300, 300].map(
    (s, at) => [at + 1, s * 1000] as const,
  )) {
    await fail()
    assert.is(begun.length, times)
    assert.is(opens.state(P)?.ms, closedMs)
    await clock.advance(closedMs - 1)
    const touched = outcome(opens.open(P))
    await settle()
    assert.is(touched.now, 'broken')
    assert.is(begun.length, times, 'it was not tried again')
    await clock.advance(1)
  }
  // Quiet for long: what was is no reason any more.
  await clock.advance(300_000)
  await fail()
  assert.is(opens.state(P)?.ms, 5000)
})

test('what another may end any moment is asked anew every 5 s, what ends by itself every 30 s at the latest', async () => {
  const { opens, begun, clock } = world()
  const fails = async (error: TidepoolError): Promise<number | undefined> => {
    const caller = outcome(opens.open(P))
    await settle()
    begun.at(-1)?.fail(error)
    await settle()
    assert.is(caller.now, error.code)
    const closedMs = opens.state(P)?.ms
    await clock.advance(closedMs ?? 0)
    return closedMs
  }
  for (let times = 0; times < 10; times++) assert.is(await fails(refusal('owned-elsewhere')), 5000)
  const away = new TidepoolError('store-unavailable', 'no answer', { temporary: true })
  const closed: unknown[] = []
  for (let times = 0; times < 5; times++) closed.push(await fails(away))
  assert.equal(closed, [5000, 10_000, 20_000, 30_000, 30_000], 'those before it did not count')
  assert.is(await fails(refusal('owned-elsewhere')), 5000)
  assert.is(begun.length, 16, 'each was a try')
})

test('forgotten, or asked for by name, it is tried at once; a success ends the row of failures', async () => {
  const { opens, begun } = world()
  const fails = async (explicit: boolean) => {
    const caller = outcome(opens.open(P, { explicit }))
    await settle()
    begun.at(-1)?.fail(refusal('broken'))
    await settle()
    assert.is(caller.now, 'broken')
  }
  await fails(false)
  opens.forget(P)
  await fails(false)
  await fails(true)
  assert.is(begun.length, 3)
  assert.is(opens.state(P)?.ms, 5000)
  const opened = opens.open(P, { explicit: true })
  await settle()
  begun.at(-1)?.done()
  assert.is(await opened, '/real/p1')
  assert.is(opens.state(P), undefined)
})

test('stopped, it tells all who wait, ends what is under way, waits for that, and opens nothing more', async () => {
  const { opens, begun, names, clock } = world({ atOnce: 1 })
  const callers = [P, Q].map((id) => outcome(opens.open(id)))
  await settle()
  await opens.stop()
  assert.equal(
    callers.map(({ now }) => now),
    ['opens-stopped', 'opens-stopped'],
  )
  assert.ok(begun[0]?.signal.aborted)
  const late = outcome(opens.open(P, { explicit: true }))
  await settle()
  assert.is(late.now, 'opens-stopped')
  assert.equal(names(), [P])
  assert.is(opens.state(P), undefined, 'that the host stops is no failure of the project')
  assert.is(clock.pendingSleeps, 0)
})

test('whatever comes in whatever order, no bound is passed and everybody is answered', async () => {
  const random = seeded(runSeed('access: opens'))
  const { opens, begun, clock } = world({ atOnce: 3, maxWaiting: 12, waitLimitMs: 4000, openLimitMs: 9000 })
  const callers: ReturnType<typeof outcome>[] = []
  const signals: AbortController[] = []
  const ended = new Set<Begun>()
  for (let step = 0; step < 600; step++) {
    const running = begun.filter((one) => !ended.has(one) && !one.signal.aborted)
    const draw = random()
    if (draw < 0.5) {
      const leaving = new AbortController()
      signals.push(leaving)
      const id = projectId(`p${int(random, 1, 8)}`)
      callers.push(outcome(opens.open(id, { explicit: random() < 0.2, signal: leaving.signal })))
    } else if (draw < 0.75 && running.length > 0) {
      const one = pick(random, running)
      ended.add(one)
      if (random() < 0.6) one.done()
      else one.fail(refusal('broken'))
    } else if (draw < 0.85 && signals.length > 0) pick(random, signals).abort(refusal('left'))
    else await clock.advance(int(random, 1, 2000))
    await settle()
    const now = begun.filter((one) => !ended.has(one) && !one.signal.aborted)
    assert.ok(now.length <= 3, `${now.length} at a time`)
    assert.is(new Set(now.map(({ id }) => id)).size, now.length, 'one a project')
  }
  await clock.run(opens.stop())
  await settle()
  assert.is(callers.filter((caller) => caller.now === undefined).length, 0)
  assert.is(clock.pendingSleeps, 0)
})

test.run()
