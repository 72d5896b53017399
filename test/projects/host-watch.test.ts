import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { watchHosts } from '../../daemon/projects/host-watch.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { newSessionId } from '../../pipeline/base/ids.ts'
import { registerHost, renewHost } from '../../pipeline/hosts/session.ts'
import type { HostRow } from '../../pipeline/hosts/state.ts'
import { DeathWatch } from '../../pipeline/hosts/take.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { A, B } from '../support/graph.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'

const test = suite('projects: host watch')
const AFTER_MS = 300_000
const EVERY_MS = 30_000

interface Watched {
  readonly looksDead: () => Promise<boolean>
  readonly renew: () => Promise<void>
  readonly pass: (ms: number) => Promise<void>
  /** From now on the store says this instead of a list. */
  readonly store: { error: unknown }
}

/** A is watched by B. */
async function withWatch(body: (watched: Watched) => Promise<void>): Promise<void> {
  const clock = new ManualClock()
  const { catalogue } = memoryStore()
  const a = { host: A, session: newSessionId(), name: 'a', process: null }
  let { row }: { row: HostRow } = await registerHost(catalogue, a)
  const store: { error: unknown } = { error: undefined }
  const deathWatch = new DeathWatch(clock, AFTER_MS)
  const hosts: typeof catalogue.hosts = async function* (options) {
    if (store.error !== undefined) throw store.error
    yield* catalogue.hosts(options)
  }
  const host = { store: { ...memoryStore(), catalogue: { ...catalogue, hosts } }, clock, deathWatch, host: B }
  const stop = new AbortController()
  const watching = watchHosts(host, stop.signal)
  await settle()
  await body({
    store,
    looksDead: async () => deathWatch.looksDead((await catalogue.readHost(A)) as HostRow),
    renew: async () => {
      row = await renewHost(catalogue, a, row)
    },
    pass: async (ms) => {
      for (let leftMs = ms; leftMs > 0; leftMs -= EVERY_MS) await clock.advance(Math.min(EVERY_MS, leftMs))
    },
  })
  stop.abort()
  await watching
  assert.is(clock.pendingSleeps, 0)
}

test('a host that stood still for long enough is dead at the first question', () =>
  withWatch(async ({ pass, looksDead }) => {
    await pass(AFTER_MS)
    assert.ok(await looksDead())
  }))

test('one that renews itself now and then is not', () =>
  withWatch(async ({ pass, renew, looksDead }) => {
    for (let turn = 0; turn < 3; turn++) {
      await pass(AFTER_MS - EVERY_MS)
      await renew()
    }
    assert.not(await looksDead())
  }))

test('while the store is away nobody can renew: each has its time again afterwards', () =>
  withWatch(async ({ store, pass, looksDead }) => {
    store.error = new TidepoolError('store-unavailable', 'no answer')
    await pass(2 * AFTER_MS)
    store.error = undefined
    assert.not(await looksDead())
    await pass(AFTER_MS - EVERY_MS)
    assert.not(await looksDead())
    await pass(2 * EVERY_MS)
    assert.ok(await looksDead())
  }))

test.run()
