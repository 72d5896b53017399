import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Membership, type MembershipState } from '../../daemon/projects/membership.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import {
  type HostId,
  newHostId,
  newSessionId,
  type ProjectId,
  projectId,
  type SessionId,
} from '../../pipeline/base/ids.ts'
import { createProject } from '../../pipeline/graph/transitions/life.ts'
import { registerHost } from '../../pipeline/hosts/session.ts'
import { markDead } from '../../pipeline/hosts/take.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { ManualClock } from '../support/manual-clock.ts'

const test = suite('projects: membership')
const P = projectId('p1')

async function joined(host: HostId = newHostId(), store = memoryStore(), residents: ProjectId[] = []) {
  const clock = new ManualClock()
  const states: MembershipState['kind'][] = []
  const sessions: SessionId[] = []
  const member = await Membership.join(store.catalogue, {
    clock,
    host,
    name: 'h',
    newSession: async () => {
      const session = newSessionId()
      sessions.push(session)
      return session
    },
    residents: () => residents,
    onChange: (state) => void states.push(state.kind),
    heartbeat: { intervalMs: 10, giveUpAfterMs: 100 },
  })
  const rev = async () => (await store.catalogue.read(P))?.statics.rev
  return { store, catalogue: store.catalogue, clock, member, states, sessions, rev }
}

const codeOfAct = (member: Membership): string | undefined => {
  try {
    member.mayAct()
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

test('may act as long as it renews itself, and ends only for good', async () => {
  const { member, clock, catalogue } = await joined()
  await clock.advance(1000)
  assert.is(codeOfAct(member), undefined)
  await member.leave({ forGood: true })
  assert.is(codeOfAct(member), 'host-left')
  assert.is((await catalogue.readHost(member.host))?.state, 'ended')
  assert.is(clock.pendingSleeps, 0)
})

test('a stop that is not for good leaves the row live, and the next start touches no project', async () => {
  const first = await joined()
  await first.catalogue.apply(createProject(P, { owner: first.member.host, nowMs: 0 }))
  await first.member.leave({ forGood: false })
  assert.is((await first.catalogue.readHost(first.member.host))?.state, 'live')
  const second = await joined(first.member.host, first.store, [P])
  assert.is(await second.rev(), 1n)
  assert.is(codeOfAct(second.member), undefined)
  await second.member.leave({ forGood: true })
})

test('marked dead, it comes back under another session, and touches what it holds before it acts', async () => {
  const { member, clock, catalogue, states, sessions, rev } = await joined()
  await catalogue.apply(createProject(P, { owner: member.host, nowMs: 0 }))
  const row = await catalogue.readHost(member.host)
  assert.ok(row)
  await markDead(catalogue, row)
  await clock.advance(30)
  assert.equal(states, ['live', 'lost', 'live'])
  assert.is(sessions.length, 2)
  assert.is(member.session, sessions[1])
  assert.is(await rev(), 2n)
  assert.is((await catalogue.readHost(member.host))?.returning, false)
  await member.leave({ forGood: true })
})

test('a second machine with the same id wins, and the first does not take it back', async () => {
  const { member, clock, catalogue, states } = await joined()
  await registerHost(catalogue, { host: member.host, session: newSessionId(), name: 'other', process: null })
  await clock.advance(200)
  assert.is(states.at(-1), 'over')
  assert.is(codeOfAct(member), 'host-lost')
  assert.is((await catalogue.readHost(member.host))?.name, 'other')
  await member.leave({ forGood: true })
  assert.is((await catalogue.readHost(member.host))?.state, 'live')
  assert.is(clock.pendingSleeps, 0)
})

test('a row that was ended is begun anew, and what it still holds is touched', async () => {
  const first = await joined()
  await first.catalogue.apply(createProject(P, { owner: first.member.host, nowMs: 0 }))
  await first.member.leave({ forGood: true })
  const second = await joined(first.member.host, first.store)
  assert.is(await second.rev(), 2n)
  await second.member.leave({ forGood: false })
})

test.run()
