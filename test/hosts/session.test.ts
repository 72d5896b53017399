import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { type HostId, newHostId, newSessionId } from '../../pipeline/base/ids.ts'
import {
  endHost,
  finishReturn,
  type HostIdentity,
  registerHost,
  renewHost,
} from '../../pipeline/hosts/session.ts'
import { markDead } from '../../pipeline/hosts/take.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { Fault, faultyCatalogue } from '../support/faulty-catalogue.ts'

const test = suite('hosts: session')

const identity = (host: HostId = newHostId()): HostIdentity => ({
  host,
  session: newSessionId(),
  name: 'h',
  process: null,
})

test('a host registers, renews itself and ends', async () => {
  const { catalogue } = memoryStore()
  const me = identity()
  const { row, returned } = await registerHost(catalogue, me)
  assert.not(returned)
  assert.is(row.state, 'live')
  const renewed = await renewHost(catalogue, me, row)
  assert.is(renewed.renewSeq, row.renewSeq + 1n)
  assert.equal(await catalogue.readHost(me.host), renewed)
  await endHost(catalogue, me)
  assert.is((await catalogue.readHost(me.host))?.state, 'ended')
  assert.is(await renewHost(catalogue, me, renewed).catch(codeOf), 'host-lost')
  await endHost(catalogue, me)
})

test('whatever becomes of one answer, registration, renewal and end arrive at the same', async () => {
  for (const fault of Object.values(Fault))
    for (let call = 0; call < 8; call++) {
      const { catalogue } = memoryStore()
      const faulty = faultyCatalogue(catalogue, { writes: { [call]: fault } })
      const me = identity()
      const { row } = await registerHost(faulty, me)
      const renewed = await renewHost(faulty, me, row).catch(() => renewHost(faulty, me, row))
      assert.is(renewed.session, me.session)
      assert.ok(renewed.renewSeq > row.renewSeq)
      await endHost(faulty, me)
      assert.is((await catalogue.readHost(me.host))?.state, 'ended', `${fault} at write ${call}`)
    }
})

test('another session with the same host id wins, and the first one does not take it back', async () => {
  const { catalogue } = memoryStore()
  const me = identity()
  const { row } = await registerHost(catalogue, me)
  const twin = identity(me.host)
  await registerHost(catalogue, twin)
  const error = await renewHost(catalogue, me, row).catch((error: Error) => error)
  assert.is(codeOf(error), 'host-lost')
  assert.match((error as Error).message, twin.session)
  await endHost(catalogue, me)
  await finishReturn(catalogue, me)
  const now = await catalogue.readHost(me.host)
  assert.is(now?.state, 'live')
  assert.is(now?.session, twin.session)
})

test('a session that was marked dead registers as another one, and knows that it has returned', async () => {
  const { catalogue } = memoryStore()
  const me = identity()
  const { row } = await registerHost(catalogue, me)
  await markDead(catalogue, row)
  assert.is(await renewHost(catalogue, me, row).catch(codeOf), 'host-lost')
  assert.is(await registerHost(catalogue, me).catch(codeOf), 'host-lost')
  assert.ok((await registerHost(catalogue, identity(me.host))).returned)
})

test('who crashed before it had touched its projects still has to at its next start', async () => {
  const { catalogue } = memoryStore()
  const me = identity()
  await markDead(catalogue, (await registerHost(catalogue, me)).row)
  assert.ok((await registerHost(catalogue, identity(me.host))).returned)
  const restarted = identity(me.host)
  assert.ok((await registerHost(catalogue, restarted)).returned)
  assert.ok((await registerHost(catalogue, restarted)).returned, 'asked again after a lost answer')
  await finishReturn(catalogue, restarted)
  await finishReturn(catalogue, restarted)
  assert.not((await registerHost(catalogue, identity(me.host))).returned)
})

test('a start without a death in between touches nothing, one after an end does', async () => {
  const { catalogue } = memoryStore()
  const me = identity()
  await registerHost(catalogue, me)
  const next = identity(me.host)
  assert.not((await registerHost(catalogue, next)).returned)
  await endHost(catalogue, next)
  assert.ok((await registerHost(catalogue, identity(me.host))).returned)
})

test.run()
