import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Engine } from '../../daemon/projects/engine.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { open } from '../../daemon/projects/open.ts'
import { snapshot } from '../../native/zfs/dataset.ts'
import { snapshotOf } from '../../native/zfs/names.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { type memoryStore, memoryStore as newStore } from '../../pipeline/stores/memory.ts'
import { rejection } from '../contracts/values.ts'
import { startEngine } from '../support/engine.ts'
import { type FakeZfs, withFakeZfs } from '../support/fake-zfs.ts'
import { projectHost } from '../support/project-host.ts'

const test = suite('projects: engine')
const P = projectId('p1')

interface Setting {
  readonly world: FakeZfs
  readonly store: ReturnType<typeof memoryStore>
  readonly start: (parts?: Parameters<typeof startEngine>[3]) => Promise<Engine>
}

const withSetting = (body: (setting: Setting) => Promise<void>): Promise<void> =>
  withFakeZfs(async (world) => {
    const store = newStore()
    const state = join(world.mounts, 'state')
    await body({ world, store, start: (parts) => startEngine(world, store, state, parts) })
  })

async function until(what: string, done: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((go) => setTimeout(go, 10)))
    if (await done()) return
  assert.unreachable(`${what} has not happened within 30 s`)
}

test('started again it is the same host, and finds what is mounted as it was', () =>
  withSetting(async ({ start }) => {
    const first = await start()
    const { path } = await first.create(P)
    await writeFile(join(path, 'file'), 'here')
    await first.stop()
    assert.is(await readFile(join(path, 'file'), 'utf8'), 'here')
    const second = await start()
    assert.is(second.host.host, first.host.host)
    assert.is.not(second.host.session, first.host.session)
    assert.equal(
      second.found.residents.map(({ id, mounted }) => ({ id, mounted })),
      [{ id: P, mounted: true }],
    )
    assert.ok(second.saves.state(P), 'what is mounted is saved again and again')
    assert.is((await second.save(P)).kind, 'saved')
    await second.stop()
  }))

test('one works with a pool at a time', () =>
  withSetting(async ({ start }) => {
    const first = await start()
    assert.is(codeOf(await rejection(start(), 'a second one')), 'pool-locked')
    await first.stop()
    await (await start()).stop()
  }))

test('a start that fails leaves the pool to the next', () =>
  withSetting(async ({ store, start }) => {
    const { readHost } = store.catalogue
    store.catalogue.readHost = async () => {
      throw new TidepoolError('store-unavailable', 'no answer')
    }
    assert.is(codeOf(await rejection(start(), 'without a store')), 'store-unavailable')
    store.catalogue.readHost = readHost
    await (await start()).stop()
  }))

test('what is mounted is saved by itself, until it is closed', () =>
  withSetting(async ({ store, start }) => {
    const engine = await start({ saves: { intervalMs: 50 } })
    const { path } = await engine.create(P)
    await writeFile(join(path, 'file'), 'one')
    const head = async () => (await store.catalogue.read(P))?.statics.head
    await until('a save', async () => (await head()) !== null)
    const one = await head()
    await writeFile(join(path, 'file'), 'two')
    await until('another save', async () => (await head()) !== one)
    await engine.close(P)
    assert.is(engine.saves.state(P), undefined)
    await engine.open(P)
    assert.ok(engine.saves.state(P))
    await engine.evict(P)
    assert.is(engine.saves.state(P), undefined)
    await engine.stop()
  }))

test('who was used last is known after a restart, and what left the pool is forgotten', () =>
  withSetting(async ({ start }) => {
    const Q = projectId('q')
    const first = await start()
    assert.equal(first.found.access, { kind: 'missing' })
    await first.create(P)
    await first.create(Q)
    await first.save(Q)
    await first.evict(Q)
    await first.stop()
    const pauseMs = 50
    await new Promise((go) => setTimeout(go, pauseMs))
    const second = await start()
    assert.equal(second.found.access, { kind: 'read', projects: 1 })
    assert.ok(second.access.idleMs(P) >= pauseMs)
    await second.open(P)
    assert.ok(second.access.idleMs(P) < pauseMs)
    await second.stop()
  }))

test('old points are restored beside it, and it moves to another host', () =>
  withSetting(async ({ store, start }) => {
    const engine = await start()
    const { path } = await engine.create(P)
    await writeFile(join(path, 'file'), 'one')
    const { point } = await engine.save(P)
    await writeFile(join(path, 'file'), 'two')
    const old = await engine.restorePoint(P, { guid: point })
    assert.is(await readFile(join(old.path, 'file'), 'utf8'), 'one')
    await withFakeZfs(async (other) => {
      const b = await projectHost(other, store, { name: 'b' })
      const moved = await engine.move(P, b.host)
      assert.is(moved.to.host, b.host)
      assert.is(engine.saves.state(P), undefined)
      assert.is(await readFile(join((await open(b, P)).path, 'file'), 'utf8'), 'two')
    })
    assert.ok(await engine.removeRestored(P, point))
    await engine.stop()
  }))

test('projects that nobody touches are asked by one listing; what is written, or hidden by a snapshot, is saved all the same', () =>
  withSetting(async ({ world, store, start }) => {
    const engine = await start({ saves: { intervalMs: 60, atOnce: 3 } })
    const ids = ['a', 'b', 'c'].map(projectId)
    const paths: string[] = []
    for (const id of ids) paths.push((await engine.create(id)).path)
    const calls = async () => (await world.calls()).filter((line) => !line.startsWith('zpool'))
    const perProject = (line: string) => ids.some((id) => line.includes(`${world.parent}/${id}`))
    await until('quiet', async () => {
      await calls()
      await new Promise((go) => setTimeout(go, 400))
      const seen = await calls()
      return seen.length > 0 && !seen.some(perProject)
    })
    const head = async (id: (typeof ids)[number]) => (await store.catalogue.read(id))?.statics.head
    const [a, b] = ids as [(typeof ids)[number], (typeof ids)[number]]
    const [before, other] = [await head(a), await head(b)]
    await writeFile(join(paths[0] as string, 'file'), 'written')
    await until('a save', async () => (await head(a)) !== before)
    await writeFile(join(paths[1] as string, 'file'), 'hidden')
    await snapshot(world.zfs, snapshotOf(liveName(world.parent, b), 'by-hand'))
    await until('another save', async () => (await head(b)) !== other)
    await engine.stop()
  }))

test.run()
