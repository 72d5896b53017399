import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { OperationStatus } from '../../daemon/client/types.ts'
import { Answers } from '../../daemon/control/answers.ts'
import { Work } from '../../daemon/control/work.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { rejection } from '../contracts/values.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('answers by key')
const KEY = { 'idempotency-key': 'one' }
const patient = new AbortController().signal

test('the same key and body have the same answer, another body has none', () =>
  withDaemon(async ({ client }) => {
    const create = (body: object, headers: Record<string, string> = KEY) =>
      client.request('POST', '/v1/projects', { body, headers })
    const [first, second] = await Promise.all([create({ id: 'p' }), create({ id: 'p' })])
    assert.equal(second.answer, first.answer)
    assert.equal(second.headers['tidepool-operation'], first.headers['tidepool-operation'])
    assert.equal((await create({ id: 'p' })).answer, first.answer)
    assert.is(codeOf(await rejection(create({ id: 'q' }), 'another body')), 'key-reused')
    assert.is(
      codeOf(await rejection(create({ id: 'p' }, {}), 'without the key')),
      'project-exists',
      'nobody else gets that answer',
    )
    assert.is(
      codeOf(await rejection(create({ id: 'p' }, { 'idempotency-key': 'a b' }), 'no key')),
      'bad-request',
    )
    const { operations } = await client.call<{ operations: OperationStatus[] }>('GET', '/v1/operations')
    assert.is(operations.filter(({ state }) => state === 'done').length, 1)
  }))

test('a key goes with any POST, and with one that is not waited for', () =>
  withDaemon(async ({ client }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    const snapshot = () => client.call('POST', '/v1/projects/p/snapshot', { body: {}, headers: KEY })
    assert.equal(await snapshot(), await snapshot())
    const { points } = await client.call<{ points: unknown[] }>('GET', '/v1/projects/p/history')
    assert.is(points.length, 1)
    const close = { headers: { 'idempotency-key': 'two' } }
    const first = await client.begin('/v1/projects/p/close', close)
    const second = await client.begin('/v1/projects/p/close', close)
    assert.is(second.id, first.id)
    const waited = await client.request('POST', '/v1/projects/p/close', close)
    assert.is(waited.headers['tidepool-operation'], first.id)
    assert.is(waited.status, 200)
  }))

test('after a restart a create with its key finds what it made, as long as nothing was written to it', () =>
  withDaemon(async ({ client, daemon, again }) => {
    const create = (body: object) => client.call('POST', '/v1/projects', { body, headers: KEY })
    const made = await create({ id: 'p', quotaBytes: '20000000' })
    await daemon.stop()
    const next = await again()
    assert.equal(await create({ id: 'p', quotaBytes: '20000000' }), made)
    await next.stop()
    const last = await again()
    const other = create({ id: 'p', quotaBytes: '30000000' })
    assert.is(codeOf(await rejection(other, 'it is another')), 'project-exists')
    await last.stop()
  }))

test('a key belongs to who drew it; what may succeed later, or was cancelled, is tried again', async () => {
  const answers = new Answers({ max: 1 })
  let begun = 0
  const work = (answer: () => Promise<object>) => () => {
    begun++
    return new Work(answer(), () => {})
  }
  const late = new TidepoolError('store-unavailable', 'away', { temporary: true })
  const failing = work(() => Promise.reject(late))
  await rejection(answers.of('root', 'k', 'x', failing).wait(patient))
  assert.equal(
    await answers
      .of(
        'root',
        'k',
        'x',
        work(async () => ({ n: 1 })),
      )
      .wait(patient),
    { n: 1 },
  )
  await answers.of('root', 'k', 'x', failing).wait(patient)
  assert.is(begun, 2)
  await answers
    .of(
      'other',
      'k',
      'y',
      work(async () => ({})),
    )
    .wait(patient)
  assert.is(begun, 3)
  await answers
    .of(
      'root',
      'k',
      'x',
      work(async () => ({})),
    )
    .wait(patient)
  assert.is(begun, 4, 'no more than so many are kept')
})

test('who leaves ends the work only where nobody else waits for it', async () => {
  let end = (_: object): void => {}
  const told: unknown[] = []
  const work = new Work(
    new Promise((resolve) => {
      end = resolve
    }),
    (reason) => told.push(reason),
  )
  const gone = new AbortController()
  const left = rejection(work.wait(gone.signal), 'he left')
  const stays = work.wait(patient)
  gone.abort(new Error('enough'))
  await left
  assert.equal(told, [])
  end({ done: true })
  assert.equal(await stays, { done: true })
  const alone = new AbortController()
  const other = new Work(
    new Promise<object>((_, reject) => setTimeout(reject, 20, new Error('ended'))),
    (reason) => told.push(reason),
  )
  const waits = rejection<Error>(other.wait(alone.signal), 'it was ended')
  alone.abort('enough')
  assert.is((await waits).message, 'ended')
  assert.equal(told, ['enough'])
  assert.ok(other.cancelled)
})

test.run()
