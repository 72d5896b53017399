import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { OperationStatus } from '../../daemon/client/types.ts'
import { Operations } from '../../daemon/operations/operations.ts'
import { systemClock } from '../../pipeline/base/clock.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { rejection } from '../contracts/values.ts'
import { type DaemonSetting, withDaemon } from '../support/daemon.ts'

const test = suite('operations')
const ASKED = { verb: 'open', project: 'p', principal: 'root', origin: 'socket' }

test('one tells its step, bytes, rate and time left, and how it ended', async () => {
  let nowMs = 0
  const operations = new Operations({ clock: { ...systemClock, monotonicMs: () => nowMs } })
  let end = (): void => {}
  const { operation, done } = operations.start(ASKED, async ({ onProgress }) => {
    onProgress({ step: 'receive', doneBytes: 0n, totalBytes: 4000n })
    nowMs += 1000
    onProgress({ step: 'receive', doneBytes: 1000n, totalBytes: 4000n })
    await new Promise<void>((resolve) => {
      end = resolve
    })
    return { path: '/x' }
  })
  assert.is(operation.state, 'running')
  assert.is(operation.step, 'receive')
  assert.is(Math.round(operation.bytesPerSecond), 1000)
  assert.is(Math.round(operation.leftMs ?? 0), 3000)
  end()
  assert.equal(await done, { path: '/x' })
  assert.is(operation.state, 'done')
  assert.equal(operation.result, { path: '/x' })
  assert.is(operations.get(operation.id), operation)
})

test('so many ended ones are kept, so many run, and the rest is refused', async () => {
  const operations = new Operations({ clock: systemClock, kept: 2, maxRunning: 1 })
  const ids: string[] = []
  for (let n = 0; n < 3; n++) {
    const { operation, done } = operations.start(ASKED, async () => ({}))
    ids.push(operation.id)
    await done
  }
  assert.throws(
    () => operations.get(ids[0] as string),
    (error: unknown) => codeOf(error) === 'operation-unknown',
  )
  assert.is(operations.all.length, 2)
  const { done } = operations.start(
    ASKED,
    ({ signal }) =>
      new Promise<object>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  )
  assert.throws(
    () => operations.start(ASKED, async () => ({})),
    (error: unknown) => codeOf(error) === 'operations-full',
  )
  const stopped = rejection(done, 'what runs is told to end')
  await operations.stop(new TidepoolError('shutting-down', 'it stops'))
  assert.is(codeOf(await stopped), 'shutting-down')
  assert.is(operations.all[0]?.state, 'cancelled')
})

test('one that takes too long is ended', async () => {
  const alive = setTimeout(() => {}, 30_000)
  const operations = new Operations({ clock: systemClock, limitMs: 20 })
  const { done } = operations.start(
    ASKED,
    ({ signal }) =>
      new Promise<object>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  )
  assert.is(codeOf(await rejection(done, 'it has a limit')), 'operation-timeout')
  clearTimeout(alive)
})

test('a waiting call has the id of its operation in its answer, also where it fails', () =>
  withDaemon(async ({ client }) => {
    const made = await client.request('POST', '/v1/projects', { body: { id: 'p' } })
    const id = made.headers['tidepool-operation'] as string
    const told = await client.call<OperationStatus>('GET', `/v1/operations/${id}`)
    assert.is(told.verb, 'create')
    assert.is(told.project, 'p')
    assert.is(told.state, 'done')
    assert.is(told.principal, 'root')
    assert.equal(told.result, made.answer)
    await rejection(client.call('POST', '/v1/projects/nope/open'), 'there is none')
    const { operations } = await client.call<{ operations: OperationStatus[] }>('GET', '/v1/operations')
    assert.equal(
      operations.map(({ verb, state, error }) => [verb, state, error?.code]),
      [
        ['open', 'failed', 'project-unknown'],
        ['create', 'done', undefined],
      ],
    )
    const unknown = client.call('GET', '/v1/operations/2d3d3f6c-6a5c-4f0e-9a57-1d1f2a3b4c5d')
    assert.is(codeOf(await rejection(unknown, 'unknown')), 'operation-unknown')
  }))

test('asked with respond-async a call answers at once, and its events tell every step to the end', () =>
  withDaemon(async ({ client, fake }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    await client.call('POST', '/v1/projects/p/save')
    await client.call('POST', '/v1/projects/p/evict')
    await fake.faults({ match: '^zfs receive', delayMs: 300, times: 1 })
    const { status, headers, answer } = await client.request<OperationStatus>('POST', '/v1/projects/p/open', {
      headers: { prefer: 'respond-async' },
    })
    assert.is(status, 202)
    assert.is(headers.location, `/v1/operations/${answer.id}`)
    assert.is(answer.state, 'running')
    const seen: OperationStatus[] = []
    for await (const now of client.follow(answer.id)) seen.push(now)
    const last = seen.at(-1)
    assert.is(last?.state, 'done')
    assert.is(last?.result?.id, 'p')
    assert.ok(last?.endedAt)
    assert.ok(
      seen.some(({ step, totalBytes }) => ['fetch', 'receive'].includes(step) && Number(totalBytes) > 0),
      seen.map(({ step }) => step).join(),
    )
  }))

test('an operation is cancelled by its id, and whoever waits for it is told', () =>
  withDaemon(async ({ client, fake }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    await client.call('POST', '/v1/projects/p/close')
    await fake.faults({ match: '^zfs mount', action: 'hang', times: 1 })
    await fake.calls()
    const waiting = rejection(client.call('POST', '/v1/projects/p/open'), 'it is cancelled')
    const running = await untilMounting({ client, fake })
    await client.cancel(running)
    assert.is(codeOf(await waiting), 'operation-cancelled')
    const told = await client.call<OperationStatus>('GET', `/v1/operations/${running}`)
    assert.is(told.state, 'cancelled')
    await client.call('POST', '/v1/projects/p/open')
  }))

test('a caller who hangs up ends what he waits for; what nobody waits for goes on', () =>
  withDaemon(async ({ client, fake }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    await client.call('POST', '/v1/projects/p/close')
    await fake.faults({ match: '^zfs mount', action: 'hang', times: 1 })
    const gone = new AbortController()
    await fake.calls()
    const waiting = rejection(client.call('POST', '/v1/projects/p/open', { signal: gone.signal }), 'he left')
    const running = await untilMounting({ client, fake })
    gone.abort(new Error('enough'))
    await waiting
    for await (const { state, error } of client.follow(running)) {
      if (state === 'running') continue
      assert.is(state, 'cancelled')
      assert.is(error?.code, 'caller-gone')
    }
    const begun = await client.begin('/v1/projects/p/open')
    for await (const { state } of client.follow(begun.id)) if (state !== 'running') assert.is(state, 'done')
  }))

/** The one that runs, once the fault has it. */
async function untilMounting({ client, fake }: Pick<DaemonSetting, 'client' | 'fake'>): Promise<string> {
  let isMounting = false
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((go) => setTimeout(go, 20))) {
    isMounting ||= (await fake.calls()).some((line) => line.startsWith('zfs mount'))
    if (!isMounting) continue
    const { operations } = await client.call<{ operations: OperationStatus[] }>('GET', '/v1/operations')
    const one = operations.find(({ state, step }) => state === 'running' && step === 'mount')
    if (one) return one.id
  }
  return assert.unreachable('nothing is mounted') as never
}

test.run()
