import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OutcomeUnknownError } from '../../pipeline/base/errors.ts'
import { newHostId, newSessionId } from '../../pipeline/base/ids.ts'
import { isPassing, registerPassing } from '../../pipeline/hosts/passing.ts'
import { endHost, registerHost, renewHost } from '../../pipeline/hosts/session.ts'
import type { Catalogue } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { runSeed, seeded } from '../support/random.ts'

const test = suite('passing hosts')
const me = { name: 'put', process: null }

test('a thousand one after the other leave a row for each place of the pool at most', async () => {
  const { catalogue, state } = memoryStore()
  const random = seeded(runSeed('passing'))
  for (let round = 0; round < 1000; round++) {
    const { identity } = await registerPassing(catalogue, me, { random })
    await endHost(catalogue, identity)
  }
  assert.ok(state.hosts.size <= 16)
})

test('a hundred at once have an id each, and all can renew', async () => {
  const { catalogue, state } = memoryStore()
  const random = seeded(runSeed('passing'))
  const all = await Promise.all(Array.from({ length: 100 }, () => registerPassing(catalogue, me, { random })))
  assert.is(new Set(all.map(({ identity }) => identity.host)).size, 100)
  for (const { identity, row } of all)
    assert.is((await renewHost(catalogue, identity, row)).session, identity.session)
  assert.is(state.hosts.size, 100)
})

test('is told apart from a daemon by its id, also where the pool was full', async () => {
  const { catalogue, state } = memoryStore()
  for (let round = 0; round < 20; round++) await registerPassing(catalogue, me, { random: () => 0 })
  const daemon = { host: newHostId(), session: newSessionId(), name: 'daemon', process: null }
  await registerHost(catalogue, daemon)
  assert.is(state.hosts.size, 21)
  for (const row of state.hosts.values()) assert.is(isPassing(row), row.host !== daemon.host)
})

test('says where the id had another session before', async () => {
  const { catalogue } = memoryStore()
  const first = await registerPassing(catalogue, me, { random: () => 0 })
  assert.is(first.returned, false)
  await endHost(catalogue, first.identity)
  const second = await registerPassing(catalogue, me, { random: () => 0 })
  assert.is(second.returned, true)
  assert.is(second.identity.host, first.identity.host)
  assert.is.not(second.identity.session, first.identity.session)
})

for (const happened of [true, false])
  test(`an answer that was lost, where it ${happened ? 'had' : 'had not'} happened, leaves one live session`, async () => {
    const { catalogue, state } = memoryStore()
    let lost = false
    const lossy: Catalogue = {
      ...catalogue,
      async applyHost(transaction, options) {
        if (lost) return catalogue.applyHost(transaction, options)
        lost = true
        if (happened) await catalogue.applyHost(transaction, options)
        throw new OutcomeUnknownError(transaction.what)
      },
    }
    const { identity } = await registerPassing(lossy, me)
    assert.is((await catalogue.readHost(identity.host))?.session, identity.session)
    assert.is(state.hosts.size, 1)
  })

test.run()
