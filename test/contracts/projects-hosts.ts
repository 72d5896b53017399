/** What hosts that share a store promise each other, whatever ZFS is below them. */
import { randomBytes } from 'node:crypto'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { close } from '../../daemon/projects/close.ts'
import { createProjectHere } from '../../daemon/projects/create.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { open } from '../../daemon/projects/open.ts'
import { reconcile } from '../../daemon/projects/reconcile.ts'
import { retire } from '../../daemon/projects/retire.ts'
import { save } from '../../daemon/projects/save.ts'
import { create, rename, rollback, setProperties, snapshot } from '../../native/zfs/dataset.ts'
import { exists, value } from '../../native/zfs/get.ts'
import { mount, unmount } from '../../native/zfs/mount.ts'
import { childOf, snapshotOf } from '../../native/zfs/names.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { newSessionId, projectId } from '../../pipeline/base/ids.ts'
import { markDead } from '../../pipeline/hosts/take.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { projectHost } from '../support/project-host.ts'
import type { WithWorld } from './projects.ts'
import { rejection } from './values.ts'

type MemoryStore = ReturnType<typeof memoryStore>

const P = projectId('p1')

const read = (path: string): Promise<string> => readFile(join(path, 'file'), 'utf8')
const write = (path: string, text: string): Promise<void> => writeFile(join(path, 'file'), text)

export function hostsContract(name: string, withWorld: WithWorld): void {
  const test = suite(`hosts on ${name}`)

  const withTwo = (
    body: (a: ProjectHost, b: ProjectHost, store: MemoryStore) => Promise<void>,
  ): Promise<void> =>
    withWorld((one) =>
      withWorld(async (two) => {
        const store = memoryStore()
        await body(
          await projectHost(one, store, { name: 'a' }),
          await projectHost(two, store, { name: 'b' }),
          store,
        )
      }),
    )

  const statics = async (store: MemoryStore) => (await store.catalogue.read(P))?.statics

  const markDeadNow = async (host: ProjectHost): Promise<void> => {
    const row = await host.store.catalogue.readHost(host.host)
    assert.ok(row)
    await markDead(host.store.catalogue, row)
  }

  test('a project goes to and fro, and each host builds on what it has of it', () =>
    withTwo(async (a, b) => {
      await write((await createProjectHere(a, P)).path, '0')
      await close(a, P)
      const sides = [b, a]
      for (let turn = 1; turn <= 4; turn++) {
        const host = sides[(turn - 1) % 2] as ProjectHost
        const opened = await open(host, P)
        assert.is(await read(opened.path), String(turn - 1))
        assert.equal(opened.setAside, [])
        await write(opened.path, String(turn))
        await close(host, P)
      }
    }))

  for (const [what, evictAfterCommitMs, asides] of [
    ['dropped, where the store is proven to have it', 0, 0],
    ['set aside, where that is not proven yet', 3_600_000, 1],
  ] as const)
    test(`a clean copy from which no streams lead on is ${what}`, () =>
      withTwo(async (here, b) => {
        const a = { ...here, settings: { ...here.settings, evictAfterCommitMs } }
        await createProjectHere(a, P)
        await close(a, P)
        // So much more than there was, also where it is compressed, that it is sent from nothing again.
        const { path } = await open(b, P)
        await writeFile(join(path, 'file'), randomBytes(300_000))
        await close(b, P)
        const again = await open(a, P)
        assert.is((await readFile(join(again.path, 'file'))).length, 300_000)
        assert.is(again.setAside.length, asides)
        assert.is((await reconcile(a)).aside.length, asides)
      }))

  test('who comes second is told at once who owns it', () =>
    withTwo(async (a, b) => {
      await createProjectHere(a, P)
      const error = await rejection(open(b, P))
      assert.is(codeOf(error), 'owned-elsewhere')
      assert.match(String(error), a.host)
    }))

  test('of a dead host a project is taken; what that host wrote since becomes a side point and is set aside', () =>
    withTwo(async (a, b, store) => {
      const { path } = await createProjectHere(a, P)
      await write(path, 'saved')
      await save(a, P)
      await write(path, 'not saved')
      await markDeadNow(a)
      const taken = await open(b, P)
      assert.is(await read(taken.path), 'saved')
      await write(taken.path, 'of b')
      const head = await save(b, P)
      // The paused one wakes: its user has gone on writing.
      await appendFile(join(path, 'file'), ' at all')
      const late = await save(a, P)
      assert.is(late.kind === 'saved' && late.placement, 'side')
      assert.is((await statics(store))?.head, head.point)
      const aside = await retire(a, P)
      assert.ok(aside)
      assert.match(aside.why, b.host)
      assert.match(aside.why, late.point)
      assert.not(await exists(a.zfs, liveName(a.parent, P)))
      assert.is((await statics(store))?.kept[late.point], 'side')
      await close(b, P)
      assert.is(await read((await open(a, P)).path), 'of b')
    }))

  test('what is clean when another host has taken it stays as a cache', () =>
    withTwo(async (a, b, store) => {
      const { path } = await createProjectHere(a, P)
      await write(path, 'one')
      await save(a, P)
      await markDeadNow(a)
      await write((await open(b, P)).path, 'two')
      await close(b, P)
      assert.is(await retire(a, P), undefined)
      const opened = await open(a, P)
      assert.is(await read(opened.path), 'two')
      assert.is(opened.receivedStreams, 1)
      assert.equal(opened.setAside, [])
      assert.equal((await statics(store))?.kept, {})
    }))

  test('rolled back by hand and clean, it is brought forward again; nothing older replaces the head', () =>
    withTwo(async (a, _b, store) => {
      const { path } = await createProjectHere(a, P)
      const live = liveName(a.parent, P)
      const mine = snapshotOf(live, 'mine')
      await write(path, 'one')
      await snapshot(a.zfs, mine)
      await save(a, P)
      await write(path, 'two')
      const second = await save(a, P)
      await unmount(a.zfs, live)
      await rollback(a.zfs, mine, { destroyNewer: true })
      const saved = await save(a, P)
      assert.is(saved.kind, 'unchanged')
      assert.is((await statics(store))?.head, second.point)
      const opened = await open(a, P)
      assert.is(await read(opened.path), 'two')
    }))

  test('rolled back by hand and written to, it is a fork: a side point, set aside, and the head opens', () =>
    withTwo(async (a, _b, store) => {
      const { path } = await createProjectHere(a, P)
      const live = liveName(a.parent, P)
      const mine = snapshotOf(live, 'mine')
      await write(path, 'one')
      await snapshot(a.zfs, mine)
      assert.is((await save(a, P)).point, await value(a.zfs, mine, 'guid'))
      await write(path, 'two')
      await save(a, P)
      await unmount(a.zfs, live)
      await rollback(a.zfs, mine, { destroyNewer: true })
      await write(await mount(a.zfs, live), 'one and a half')
      const opened = await open(a, P)
      assert.is(await read(opened.path), 'two')
      assert.is(opened.setAside.length, 1)
      assert.equal(Object.values((await statics(store))?.kept ?? {}), ['side'])
    }))

  test('a dataset that somebody renamed is named, and not received a second time', () =>
    withWorld(async (world) => {
      const host = await projectHost(world, memoryStore())
      await write((await createProjectHere(host, P)).path, 'x')
      await close(host, P)
      const other = childOf(world.parent, 'mine')
      await rename(world.zfs, liveName(world.parent, P), other)
      const error = await rejection(open(host, P))
      assert.is(codeOf(error), 'dataset-renamed')
      assert.match(String(error), other)
      assert.equal((await reconcile(host)).renamed, [{ id: P, name: other }])
      await rename(world.zfs, other, liveName(world.parent, P))
      await open(host, P)
    }))

  test('a foreign dataset in a project’s place is left alone', () =>
    withWorld(async (world) => {
      const store = memoryStore()
      const host = await projectHost(world, store)
      await create(world.zfs, liveName(world.parent, P))
      assert.is(codeOf(await rejection(createProjectHere(host, P))), 'dataset-foreign')
      assert.is(await store.catalogue.read(P), undefined, 'the id is not taken')
      const found = await reconcile(host)
      assert.equal(
        found.unknown.map(({ name }) => name),
        [liveName(world.parent, P)],
      )
      assert.equal(found.residents, [])
      assert.ok(await exists(world.zfs, liveName(world.parent, P)))
    }))

  test('a start removes what an open had begun, ends what a save had begun, and touches nothing else', () =>
    withWorld(async (world) => {
      const store = memoryStore()
      const host = await projectHost(world, store)
      const { path } = await createProjectHere(host, P)
      await write(path, 'x')
      await save(host, P)
      await create(world.zfs, childOf(world.parent, `receiving.${P}.00000000`))
      await create(world.zfs, childOf(world.parent, 'somebody.else'))
      await setProperties(world.zfs, liveName(world.parent, P), { 'tidepool:other': 'x' })
      const before = await statics(store)
      const next = { ...host, session: newSessionId(), isEnded: () => true }
      const found = await reconcile(next)
      assert.equal(found.removed, [childOf(world.parent, `receiving.${P}.00000000`)])
      assert.equal(
        found.residents.map(({ id, mounted }) => ({ id, mounted })),
        [{ id: P, mounted: true }],
      )
      assert.equal(
        found.unknown.map(({ name }) => name),
        [childOf(world.parent, 'somebody.else')],
      )
      assert.equal(found.left, [])
      assert.is(await read(path), 'x')
      const again = await reconcile(next)
      assert.equal(again.removed, [])
      assert.equal(await statics(store), before)
    }))

  test.run()
}
