import { getEventListeners } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { newHostId, newSessionId } from '../../pipeline/base/ids.ts'
import { heartbeat } from '../../pipeline/hosts/heartbeat.ts'
import { registerHost } from '../../pipeline/hosts/session.ts'
import { markDead } from '../../pipeline/hosts/take.ts'
import type { Catalogue } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { Fault, faultyCatalogue } from '../support/faulty-catalogue.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'

const test = suite('hosts: heartbeat')

async function begin(wrap: (catalogue: Catalogue) => Catalogue = (catalogue) => catalogue) {
  const { catalogue } = memoryStore()
  const identity = { host: newHostId(), session: newSessionId(), name: 'h', process: null }
  const { row } = await registerHost(catalogue, identity)
  const clock = new ManualClock()
  const stop = new AbortController()
  const options = { clock, signal: stop.signal, intervalMs: 10, giveUpAfterMs: 100 }
  let outcome: unknown = 'beats'
  const beating = heartbeat(wrap(catalogue), identity, row, options).then(
    () => {
      outcome = 'stopped'
    },
    (error: unknown) => {
      outcome = error
    },
  )
  const seq = async () => (await catalogue.readHost(identity.host))?.renewSeq
  return { catalogue, clock, stop, beating, seq, identity, outcome: () => outcome }
}

test('renews the row once an interval, and stops at the signal with nothing left behind', async () => {
  const { clock, stop, beating, seq, outcome } = await begin()
  const first = await seq()
  await clock.advance(55)
  assert.is(await seq(), (first ?? 0n) + 5n)
  stop.abort()
  await beating
  assert.is(outcome(), 'stopped')
  assert.is(clock.pendingSleeps, 0)
  assert.is(getEventListeners(stop.signal, 'abort').length, 0)
})

test('a thousand beats leave no listener on the signal', async () => {
  const { clock, stop, beating } = await begin()
  await clock.advance(10_000)
  assert.ok(getEventListeners(stop.signal, 'abort').length <= 2)
  stop.abort()
  await beating
})

test('lost answers cost nothing as long as some come through', async () => {
  const kinds = Object.values(Fault)
  const writes = Object.fromEntries(
    Array.from({ length: 100 }, (_, call) => [call, kinds[call % (kinds.length + 2)]]).filter(
      ([, fault]) => fault,
    ),
  )
  const { clock, stop, beating, seq, outcome } = await begin((catalogue) =>
    faultyCatalogue(catalogue, { writes }),
  )
  await clock.advance(1000)
  assert.is(outcome(), 'beats')
  assert.ok(((await seq()) ?? 0n) > 30n)
  stop.abort()
  await beating
})

test('who was marked dead learns it at the next beat', async () => {
  const { catalogue, clock, beating, identity, outcome } = await begin()
  const row = await catalogue.readHost(identity.host)
  assert.ok(row)
  await markDead(catalogue, row!)
  await clock.advance(10)
  await beating
  assert.is(codeOf(outcome()), 'host-lost')
  assert.is(clock.pendingSleeps, 0)
})

test('a store that fails is asked again until the host gives up by itself', async () => {
  const never = Object.fromEntries(Array.from({ length: 99 }, (_, call) => [call, Fault.NeverHappens]))
  const { clock, beating, outcome } = await begin((catalogue) =>
    faultyCatalogue(catalogue, { writes: never }),
  )
  await clock.advance(95)
  assert.is(outcome(), 'beats')
  await clock.advance(15)
  await beating
  assert.is(codeOf(outcome()), 'host-lost')
  assert.match((outcome() as Error).message, 'could not renew itself')
})

test('a store that never answers is not waited for', async () => {
  const deaf = (catalogue: Catalogue): Catalogue => ({
    ...catalogue,
    applyHost: (_transaction, { signal } = {}) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      }),
  })
  const { clock, beating, outcome } = await begin(deaf)
  await clock.advance(95)
  assert.is(outcome(), 'beats')
  await clock.advance(30)
  await beating
  assert.is(codeOf(outcome()), 'host-lost')
  assert.is(clock.pendingSleeps, 0)
  const silent = await begin(deaf)
  await silent.clock.advance(15)
  silent.stop.abort()
  await settle()
  await silent.beating
  assert.is(silent.outcome(), 'stopped')
  assert.is(silent.clock.pendingSleeps, 0)
})

test.run()
