import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type SessionOptions, withProject } from '../../daemon/cli/session.ts'
import { systemClock } from '../../pipeline/base/clock.ts'
import { codeOf, StoreUnavailableError } from '../../pipeline/base/errors.ts'
import { newHostId, newSessionId, projectId } from '../../pipeline/base/ids.ts'
import { thisProcess } from '../../pipeline/base/process.ts'
import { createProject } from '../../pipeline/graph/transitions/life.ts'
import { RENEW_INTERVAL_MS } from '../../pipeline/hosts/heartbeat.ts'
import { registerPassing } from '../../pipeline/hosts/passing.ts'
import { type HostIdentity, registerHost } from '../../pipeline/hosts/session.ts'
import type { HostRow } from '../../pipeline/hosts/state.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { ManualClock } from '../support/manual-clock.ts'

const test = suite('session')
const P = projectId('p')
const never = new AbortController().signal

const options = (changes: Partial<SessionOptions> = {}): SessionOptions => ({
  clock: systemClock,
  signal: never,
  onLeftOver: (what) => assert.unreachable(what),
  ...changes,
})

async function ownedBy(identity: HostIdentity) {
  const store = memoryStore()
  await registerHost(store.catalogue, identity)
  await store.catalogue.apply(createProject(P, { owner: identity.host, nowMs: 0 }))
  return store
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => assert.unreachable('it was let in'),
    (error: unknown) => error,
  )

test('makes the project, owns it meanwhile, and gives everything back', async () => {
  const { catalogue, state } = memoryStore()
  const result = await withProject(catalogue, P, options(), async ({ host }) => {
    assert.is((await catalogue.read(P))?.statics.owner, host)
    assert.is((await catalogue.readHost(host))?.state, 'live')
    return 7
  })
  assert.is(result, 7)
  assert.is((await catalogue.read(P))?.statics.owner, null)
  assert.equal(
    [...state.hosts.values()].map((row) => row.state),
    ['ended'],
  )
})

test('gives everything back after a failure, which it tells', async () => {
  const { catalogue, state } = memoryStore()
  const failure = new Error('disk')
  const error = await rejection(withProject(catalogue, P, options(), () => Promise.reject(failure)))
  assert.is(error, failure)
  assert.is((await catalogue.read(P))?.statics.owner, null)
  assert.equal(
    [...state.hosts.values()].map((row) => row.state),
    ['ended'],
  )
})

test('two at once: one owns, the other is told', async () => {
  const { catalogue } = memoryStore()
  const inside = withProject(catalogue, P, options(), async () => {
    const error = await rejection(withProject(catalogue, P, options(), async () => {}))
    assert.is(codeOf(error), 'owned-elsewhere')
    assert.match(String(error), /another command \(.*, stream put\) is writing to project p/)
  })
  await inside
})

test('takes at once what a killed command of this machine still owns', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(child, 'spawn')
  const me = thisProcess()
  if (!me || child.pid === undefined) return
  child.kill('SIGKILL')
  await once(child, 'close')
  const { catalogue } = memoryStore()
  const killed = { name: 'killed', process: { ...me, pid: child.pid, startTicks: 1n } }
  const { identity } = await registerPassing(catalogue, killed)
  await catalogue.apply(createProject(P, { owner: identity.host, nowMs: 0 }))
  await withProject(catalogue, P, options(), async () => {})
  assert.is((await catalogue.readHost(identity.host))?.state, 'dead')
})

test('never takes what a daemon owns, although its process is gone: it may only be restarting', async () => {
  const me = thisProcess()
  const identity = {
    host: newHostId(),
    session: newSessionId(),
    name: 'daemon',
    process: me && { ...me, startTicks: me.startTicks + 1n },
  }
  const { catalogue } = await ownedBy(identity)
  const error = await rejection(withProject(catalogue, P, options(), async () => {}))
  assert.is(codeOf(error), 'owned-elsewhere')
})

test('told to take over, it takes from a host that stands still for long enough', async () => {
  const clock = new ManualClock()
  const { catalogue } = await ownedBy({
    host: newHostId(),
    session: newSessionId(),
    name: 'gone',
    process: null,
  })
  const watched: string[] = []
  const over = withProject(
    catalogue,
    P,
    options({ clock, takeOver: ({ name }) => watched.push(name) }),
    async ({ host }) => {
      assert.is((await catalogue.read(P))?.statics.owner, host)
    },
  )
  await clock.run(over)
  assert.equal(watched, ['gone'])
  assert.ok(clock.monotonicMs() >= 300_000)
})

test('told to take over, it still refuses as soon as the host shows that it lives', async () => {
  const clock = new ManualClock()
  const identity = { host: newHostId(), session: newSessionId(), name: 'alive', process: null }
  const store = await ownedBy(identity)
  const takeOver = (row: HostRow): void => {
    store.state.hosts.set(row.host, { ...row, renewSeq: row.renewSeq + 1n })
  }
  const tried = rejection(withProject(store.catalogue, P, options({ clock, takeOver }), async () => {}))
  assert.is(codeOf(await clock.run(tried)), 'owned-elsewhere')
  assert.ok(clock.monotonicMs() <= 2 * RENEW_INTERVAL_MS)
})

test('a host that was marked dead meanwhile ends the work', async () => {
  const clock = new ManualClock()
  const { catalogue, state } = memoryStore()
  const work = withProject(catalogue, P, options({ clock }), async ({ host, signal }) => {
    const row = state.hosts.get(host)
    if (row) state.hosts.set(host, { ...row, state: 'dead' })
    setImmediate(() => void clock.advance(RENEW_INTERVAL_MS))
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  assert.is(codeOf(await rejection(work)), 'host-lost')
})

test('what can not be given back is told, and hides neither result nor failure', async () => {
  const { catalogue } = memoryStore()
  let isDown = false
  const guarded = new Proxy(catalogue, {
    get: (target, name, receiver) =>
      isDown && name !== 'close'
        ? () => Promise.reject(new StoreUnavailableError('the store is gone'))
        : Reflect.get(target, name, receiver),
  })
  const told: string[] = []
  const result = await withProject(
    guarded,
    P,
    options({ onLeftOver: (what) => told.push(what) }),
    async () => {
      isDown = true
      return 'stored'
    },
  )
  assert.is(result, 'stored')
  assert.match(told.join(), /project p may stay owned by host/)
})

test.run()
