import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { startEngine } from '../support/engine.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { TEST_SETTINGS } from '../support/project-host.ts'

const test = suite('projects: sweep')
const never = new AbortController().signal
const ids = ['a', 'b', 'c'].map(projectId)

test('with room for all, and used lately, nothing leaves; one that cannot be proven stays and is named', () =>
  withFakeZfs(async (world) => {
    const store = memoryStore()
    const residency = { maxResident: 2, highWatermark: 1, lowWatermark: 1, idleGraceMs: 60_000 }
    const engine = await startEngine(world, store, join(world.directory, 'state'), { residency })
    for (const id of ids) await engine.create(id)
    const lately = await engine.sweeper.sweep(never)
    assert.equal([lately.evicted.length, lately.tooMany], [0, 1])
    assert.equal([...lately.stay.values()], ['used-lately', 'used-lately', 'used-lately'])
    await engine.stop()
    const idle = { ...residency, idleGraceMs: 0 }
    const settings = { ...TEST_SETTINGS, evictAfterCommitMs: 60_000 }
    const again = await startEngine(world, store, join(world.directory, 'state'), {
      residency: idle,
      settings,
    })
    const refused = await again.sweeper.sweep(never)
    assert.is(refused.evicted.length, 0)
    assert.equal(
      refused.refused.map(({ why, error }) => [why, codeOf(error)]),
      [['number', 'commit-too-young']],
    )
    assert.is((await again.residents()).length, 3)
    await again.stop()
  }))

test('while the store is away one candidate is tried, and the next sweep begins anew', () =>
  withFakeZfs(async (world) => {
    const store = memoryStore()
    const residency = { maxResident: 1, highWatermark: 1, lowWatermark: 1, idleGraceMs: 0 }
    // No save but those of the sweep.
    const parts = { residency: { ...residency, unmountIdleAfterMs: 0 }, saves: { intervalMs: 3_600_000 } }
    const engine = await startEngine(world, store, join(world.directory, 'state'), parts)
    for (const id of ids) await engine.create(id)
    const { read } = store.catalogue
    const asked = new Set<string>()
    store.catalogue.read = async (id) => {
      asked.add(id)
      throw new TidepoolError('store-unavailable', 'no answer', { temporary: true })
    }
    const away = await engine.sweeper.sweep(never)
    assert.is(asked.size, 1, 'one was tried')
    assert.equal(
      away.refused.map(({ why, error }) => [why, codeOf(error)]),
      Array(2).fill(['number', 'store-unavailable']),
    )
    assert.equal([away.evicted, away.unmounted], [[], []])
    assert.ok((await engine.residents()).every(({ mounted }) => mounted))
    store.catalogue.read = read
    const back = await engine.sweeper.sweep(never)
    assert.is(back.evicted.length, 2)
    await engine.stop()
  }))

test('it comes again by itself', () =>
  withFakeZfs(async (world) => {
    const residency = { maxResident: 1, highWatermark: 1, lowWatermark: 1, idleGraceMs: 0 }
    const parts = { residency, sweepEveryMs: 20 }
    const engine = await startEngine(world, memoryStore(), join(world.directory, 'state'), parts)
    for (const id of ids) await engine.create(id)
    for (const end = Date.now() + 20_000; (await engine.residents()).length > 1; )
      assert.ok(Date.now() < end, 'nothing has left within 20 s')
    await engine.stop()
  }))

test.run()
