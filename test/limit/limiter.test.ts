import { getEventListeners } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  adaptiveLimiter,
  fixedLimiter,
  type Limiter,
  type Permit,
  type Priority,
} from '../../pipeline/limit/limiter.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'

const test = suite('limiter')

/** Asks under names, and keeps who was let in, in order. */
function desk(limiter: Limiter) {
  const admitted: string[] = []
  const permits = new Map<string, Permit>()
  return {
    admitted,
    async ask(...wanted: [name: string, priority: Priority, bytes?: number][]): Promise<void> {
      for (const [name, priority, bytes = 1] of wanted)
        void limiter.acquire(bytes, { priority }).then((permit) => {
          admitted.push(name)
          permits.set(name, permit)
        })
      await settle()
    },
    async leave(...names: string[]): Promise<string[]> {
      const before = admitted.length
      for (const name of names) permits.get(name)?.release()
      await settle()
      return admitted.slice(before)
    },
  }
}

test('lets in no more than the count, and the next as each leaves', async () => {
  const limiter = fixedLimiter({ count: 2, maxBytes: 100 })
  const { ask, leave, admitted } = desk(limiter)
  await ask(['a', 'save'], ['b', 'save'], ['c', 'save'], ['d', 'save'])
  assert.equal(admitted, ['a', 'b'])
  assert.equal(limiter.state, { limit: 2, inFlight: 2, inFlightBytes: 2, waiting: 2, maxBytes: 100 })
  assert.equal(await leave('b'), ['c'])
  assert.equal(await leave('a', 'c'), ['d'])
  await leave('d')
  assert.equal(limiter.state, { limit: 2, inFlight: 0, inFlightBytes: 0, waiting: 0, maxBytes: 100 })
})

test('lets in no more than the bytes', async () => {
  const { ask, leave, admitted } = desk(fixedLimiter({ count: 100, maxBytes: 10 }))
  await ask(['a', 'save', 4], ['b', 'save', 6], ['c', 'save', 1], ['nothing', 'save', 0])
  assert.equal(admitted, ['a', 'b'])
  assert.equal(await leave('a'), ['c', 'nothing'])
})

test('a permit given back twice is given back once', async () => {
  const limiter = fixedLimiter({ count: 2, maxBytes: 10 })
  const one = await limiter.acquire(3, { priority: 'save' })
  await limiter.acquire(4, { priority: 'open' })
  one.release()
  one.release()
  assert.is(limiter.state.inFlight, 1)
  assert.is(limiter.state.inFlightBytes, 4)
})

test('a piece larger than the whole budget goes alone', async () => {
  const { ask, leave, admitted } = desk(fixedLimiter({ count: 4, maxBytes: 10 }))
  await ask(['small', 'save', 1], ['huge', 'save', 50], ['next', 'save', 1])
  assert.equal(admitted, ['small'])
  assert.equal(await leave('small'), ['huge'])
  assert.equal(await leave('huge'), ['next'])
})

test('small ones do not overtake a big one that has to wait, of its own priority or a lower one', async () => {
  const { ask, leave, admitted } = desk(fixedLimiter({ count: 100, maxBytes: 10 }))
  await ask(['a', 'save', 4], ['b', 'save', 4], ['big', 'save', 8], ['c', 'save'], ['d', 'mirror'])
  assert.equal(admitted, ['a', 'b'])
  assert.equal(await leave('a'), [])
  assert.equal(await leave('b'), ['big', 'c', 'd'])
})

test('the highest priority goes first, and within one whoever came first', async () => {
  const { ask, leave } = desk(fixedLimiter({ count: 1, maxBytes: 100 }))
  await ask(['first', 'scrub'])
  await ask(
    ['scrub', 'scrub'],
    ['mirror 1', 'mirror'],
    ['mirror 2', 'mirror'],
    ['save', 'save'],
    ['open', 'open'],
  )
  const order: string[] = []
  for (let next = ['first']; next.length > 0; next = await leave(...next)) order.push(...next)
  assert.equal(order, ['first', 'open', 'save', 'mirror 1', 'mirror 2', 'scrub'])
})

test('while a save waits opens leave it the last tenth', async () => {
  const limiter = fixedLimiter({ count: 20, maxBytes: 1000 })
  const { ask, leave, admitted } = desk(limiter)
  const opens = Array.from({ length: 30 }, (_, i): [string, Priority] => [`open ${i}`, 'open'])
  await ask(...opens)
  assert.is(admitted.length, 20, 'nobody else wants it')
  await ask(['save 1', 'save'], ['save 2', 'save'], ['save 3', 'save'])
  assert.equal(await leave('open 0'), ['save 1'])
  assert.equal(await leave('open 1'), ['save 2'])
  assert.equal(await leave('open 2'), ['open 20'], 'the tenth is used; the rest is for opens')
  assert.equal(await leave('save 1'), ['save 3'])
  assert.equal(await leave('save 2'), ['open 21'], 'no save waits any more')
})

test('the last tenth of the bytes is left to saves too, and is never less than the save that waits', async () => {
  const { ask, leave, admitted } = desk(fixedLimiter({ count: 100, maxBytes: 100 }))
  await ask(...Array.from({ length: 12 }, (_, i): [string, Priority, number] => [`open ${i}`, 'open', 10]))
  assert.is(admitted.length, 10)
  await ask(['save', 'save', 25])
  assert.equal(await leave('open 0'), [])
  assert.equal(await leave('open 1'), [])
  assert.equal(await leave('open 2'), ['save'])
  assert.equal(await leave('open 3'), ['open 10'])
})

test('where only one may be in flight, every tenth is a save', async () => {
  const { ask, leave } = desk(fixedLimiter({ count: 1, maxBytes: 100 }))
  await ask(['first', 'mirror'])
  await ask(['save 1', 'save'], ['save 2', 'save'])
  await ask(...Array.from({ length: 25 }, (_, i): [string, Priority] => [`open ${i}`, 'open']))
  const order: string[] = []
  for (let next = await leave('first'); next.length > 0; next = await leave(...next)) order.push(...next)
  assert.is(order.indexOf('save 1'), 9)
  assert.is(order.indexOf('save 2'), 19)
  assert.is(order.length, 27)
})

test('saves larger than everything do not starve opens, nor opens them', async () => {
  const { ask, leave } = desk(fixedLimiter({ count: 4, maxBytes: 10 }))
  await ask(['first', 'mirror', 10])
  await ask(...Array.from({ length: 5 }, (_, i): [string, Priority, number] => [`save ${i}`, 'save', 20]))
  await ask(...Array.from({ length: 40 }, (_, i): [string, Priority, number] => [`open ${i}`, 'open', 10]))
  const order: string[] = []
  for (let next = await leave('first'); next.length > 0; next = await leave(...next)) order.push(...next)
  assert.equal(
    [0, 1, 2, 3].map((i) => order.indexOf(`save ${i}`)),
    [9, 19, 29, 39],
  )
})

test('refuses at once where the signal fired before', async () => {
  const limiter = fixedLimiter({ count: 1, maxBytes: 10 })
  const reason = new Error('left before')
  const signal = AbortSignal.abort(reason)
  assert.is(await limiter.acquire(1, { priority: 'save', signal }).catch((error: unknown) => error), reason)
  assert.is(limiter.state.inFlight, 0)
})

test('whoever leaves the line makes room for those behind, and leaves no listener', async () => {
  const limiter = fixedLimiter({ count: 10, maxBytes: 10 })
  const { ask, admitted } = desk(limiter)
  await ask(['a', 'save', 6])
  const leaving = new AbortController()
  const reason = new Error('left the line')
  const left = limiter
    .acquire(8, { priority: 'save', signal: leaving.signal })
    .catch((error: unknown) => error)
  await ask(['b', 'save', 4])
  assert.equal(admitted, ['a'])
  assert.is(getEventListeners(leaving.signal, 'abort').length, 1)
  leaving.abort(reason)
  assert.is(await left, reason)
  await settle()
  assert.equal(admitted, ['a', 'b'])
  assert.equal([limiter.state.waiting, limiter.state.inFlightBytes], [0, 10])
  assert.is(getEventListeners(leaving.signal, 'abort').length, 0)
})

test('a signal that fires after the permit was given takes nothing back, and left no listener', async () => {
  const limiter = fixedLimiter({ count: 1, maxBytes: 10 })
  const first = await limiter.acquire(1, { priority: 'save' })
  const leaving = new AbortController()
  const second = limiter.acquire(1, { priority: 'save', signal: leaving.signal })
  first.release()
  leaving.abort()
  const permit = await second
  assert.is(limiter.state.inFlight, 1)
  permit.release()
  assert.is(limiter.state.inFlight, 0)
  assert.is(getEventListeners(leaving.signal, 'abort').length, 0)
})

test('any number may wait under one signal without a warning of Node, and all leave with it', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error): number => warnings.push(warning)
  process.on('warning', onWarning)
  const limiter = fixedLimiter({ count: 1, maxBytes: 10 })
  const leaving = new AbortController()
  const wait = () => limiter.acquire(1, { priority: 'save', signal: leaving.signal })
  await wait()
  const waiting = Promise.allSettled(Array.from({ length: 100 }, wait))
  await settle()
  leaving.abort()
  const left = await waiting
  process.off('warning', onWarning)
  assert.is(left.filter(({ status }) => status === 'rejected').length, 100)
  assert.is(limiter.state.waiting, 0)
  assert.equal(warnings, [])
})

test('an answer that raises the limit lets in those who wait', async () => {
  const limiter = adaptiveLimiter({ clock: new ManualClock(), maxBytes: 100 })
  const { ask, admitted } = desk(limiter)
  await ask(...Array.from({ length: 10 }, (_, i): [string, Priority] => [`save ${i}`, 'save']))
  assert.is(admitted.length, 4)
  for (let i = 0; i < 8; i++) limiter.observe({ elapsedMs: 20, outcome: 'ok' })
  await settle()
  assert.is(admitted.length, 8)
  assert.is(limiter.state.limit, 8)
})

test('an overload lets nobody in until fewer than the new limit are in flight', async () => {
  const limiter = adaptiveLimiter({ clock: new ManualClock(), maxBytes: 100, start: 4 })
  const { ask, leave, admitted } = desk(limiter)
  await ask(...Array.from({ length: 6 }, (_, i): [string, Priority] => [`save ${i}`, 'save']))
  limiter.observe({ elapsedMs: 1, outcome: 'overload' })
  assert.is(limiter.state.limit, 2)
  assert.equal(await leave('save 0', 'save 1'), [])
  assert.equal(await leave('save 2'), ['save 4'])
  assert.is(admitted.length, 5)
})

test('numbers that make no sense are refused and change nothing', async () => {
  const limiter = fixedLimiter({ count: 1, maxBytes: 10 })
  for (const bytes of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    const error = await limiter.acquire(bytes, { priority: 'save' }).catch((e: unknown) => e)
    assert.instance(error, RangeError)
  }
  assert.is(limiter.state.waiting, 0)
  for (const wrong of [
    { count: 0, maxBytes: 1 },
    { count: 1, maxBytes: 0 },
    { count: 1.5, maxBytes: 1 },
  ])
    assert.throws(
      () => fixedLimiter(wrong),
      (e: unknown) => e instanceof RangeError,
    )
})

test.run()
