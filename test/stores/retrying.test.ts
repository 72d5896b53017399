/** A store that is tried again keeps the contract, over a store that fails every few calls. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../pipeline/base/clock.ts'
import { OutcomeUnknownError, StoreUnavailableError, TidepoolError } from '../../pipeline/base/errors.ts'
import { newHostId, projectId } from '../../pipeline/base/ids.ts'
import { createProject } from '../../pipeline/graph/transitions/life.ts'
import { touchProject } from '../../pipeline/graph/transitions/owner.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import { retryScope } from '../../pipeline/limit/retry.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { retrying, STORE_CALLS } from '../../pipeline/stores/retrying.ts'
import { blobStoreContract } from '../contracts/blob-store.ts'
import { catalogueContract } from '../contracts/catalogue.ts'
import { type Decide, faultyStore } from '../support/faulty-store.ts'
import { damageOf } from '../support/memory-blobs.ts'
import { seeded } from '../support/random.ts'
import { streamBytes } from '../support/stream-generator.ts'
import { putBytes, putSetting } from '../support/transfer.ts'

/** Its waits are as short as a timer can be. */
const clock = { ...systemClock, sleep: (_ms: number, signal?: AbortSignal) => systemClock.sleep(0, signal) }

function again(store: Store): Store {
  return retrying(store, {
    scope: retryScope({ clock, random: seeded(1) }),
    limiter: fixedLimiter({ count: 8, maxBytes: 1e9 }),
  })
}

/** Every fifth call fails before it happens. */
const flaky: Decide = (_call, count) => (count % 5 === 4 ? 'refused' : undefined)

blobStoreContract(
  'retrying(flaky memory)',
  async () => {
    const store = memoryStore()
    return {
      blobs: again(faultyStore(store, flaky)).blobs,
      damage: damageOf(store.state),
      cleanup: store.close,
    }
  },
  { readersOutliveRemoval: false },
)

catalogueContract('retrying(flaky memory)', async () => {
  const store = memoryStore()
  return { catalogue: again(faultyStore(store, flaky)).catalogue, cleanup: store.close }
})

const test = suite('retrying')

test('every attempt of every call is told by its name, with which try it was', async () => {
  const store = memoryStore()
  const told: string[] = []
  const tried = retrying(faultyStore(store, flaky), {
    scope: retryScope({ clock, random: seeded(1) }),
    onAttempt: ({ call, attempt, outcome }) => told.push(`${call} ${attempt} ${outcome}`),
  })
  const project = projectId('p')
  for (let times = 0; times < 4; times++) await tried.catalogue.read(project)
  await tried.catalogue.info()
  for await (const id of tried.catalogue.projects()) assert.unreachable(String(id))
  assert.equal(told, [...Array(4).fill('read 1 ok'), ...['info 1 error', 'info 2 ok'], 'projects 1 ok'])
  assert.ok(told.every((line) => STORE_CALLS.some((call) => line.startsWith(`${call} `))))
})

test('a transaction of unknown outcome is never sent a second time', async () => {
  const store = memoryStore()
  let sent = 0
  const lossy = faultyStore(store, (call) => {
    if (call !== 'apply') return undefined
    sent++
    return 'answer-lost'
  })
  try {
    await again(lossy).catalogue.apply(createProject(projectId('p'), { owner: newHostId(), nowMs: 0 }))
    assert.unreachable()
  } catch (error) {
    assert.instance(error, OutcomeUnknownError)
  }
  assert.is(sent, 1)
  assert.is(store.state.projects.size, 1)
})

test('a permanent error comes through at the first time', async () => {
  const store = memoryStore()
  let asked = 0
  const denied: Store = {
    ...store,
    catalogue: {
      ...store.catalogue,
      read: () => {
        asked++
        return Promise.reject(new TidepoolError('permission-denied', 'no'))
      },
    },
  }
  try {
    await again(denied).catalogue.read(projectId('p'))
    assert.unreachable()
  } catch (error) {
    assert.is((error as TidepoolError).code, 'permission-denied')
  }
  assert.is(asked, 1)
})

test('a list that broke off in the middle is not begun again, but what can go on does', async () => {
  const store = memoryStore()
  const setting = await putSetting(store)
  for (const toGuid of [1n, 2n, 3n])
    await putBytes(
      setting,
      await streamBytes({ seed: 1, bytes: 70_000, toGuid, ...(toGuid > 1n && { fromGuid: toGuid - 1n }) }),
    )
  let broken = 0
  const breaking = <Item>(list: AsyncIterable<Item>): AsyncIterable<Item> => ({
    async *[Symbol.asyncIterator]() {
      let yielded = 0
      for await (const item of list) {
        if (++yielded === 3 && broken++ === 0) throw new StoreUnavailableError('page lost')
        yield item
      }
    },
  })
  const blobs = {
    ...store.blobs,
    stored: (options?: { after?: string }) => breaking(store.blobs.stored(options)),
  }
  const seen: string[] = []
  for await (const { what } of again({ ...store, blobs }).blobs.stored()) seen.push(what)
  assert.is(new Set(seen).size, 3)
  assert.is(seen.length, 3)

  const project = await store.catalogue.read(setting.project)
  if (project) await store.catalogue.apply(touchProject(project))
  for (const name of ['q', 'r', 's'])
    await store.catalogue.apply(createProject(projectId(name), { owner: null, nowMs: 0 }))
  broken = 0
  const catalogue = { ...store.catalogue, projects: () => breaking(store.catalogue.projects()) }
  try {
    for await (const _ of again({ ...store, catalogue }).catalogue.projects());
    assert.unreachable()
  } catch (error) {
    assert.instance(error, StoreUnavailableError)
  }
})

test.run()
