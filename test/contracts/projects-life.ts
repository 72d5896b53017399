/** What becomes of a project between its first save and its end: evicted, rolled back, destroyed, had back. */
import { chmod, open as openFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { close } from '../../daemon/projects/close.ts'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { destroyHere, undelete } from '../../daemon/projects/destroy.ts'
import { evict } from '../../daemon/projects/evict.ts'
import { historyOf } from '../../daemon/projects/history.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import { liveName, pointName, SAVE_HOLD } from '../../daemon/projects/names.ts'
import { open } from '../../daemon/projects/open.ts'
import { acknowledge, pinPoint } from '../../daemon/projects/points.ts'
import { rollBack } from '../../daemon/projects/roll-back.ts'
import { save } from '../../daemon/projects/save.ts'
import { snapshotProject } from '../../daemon/projects/snapshot.ts'
import { hold, snapshot } from '../../native/zfs/dataset.ts'
import { exists } from '../../native/zfs/get.ts'
import { listSnapshots } from '../../native/zfs/list.ts'
import { mount, unmount } from '../../native/zfs/mount.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { guid, projectId } from '../../pipeline/base/ids.ts'
import { DEFAULT_RETENTION } from '../../pipeline/graph/retention.ts'
import { settle } from '../../pipeline/graph/settle.ts'
import { destroyProject, startPurge } from '../../pipeline/graph/transitions/life.ts'
import { takeOver } from '../../pipeline/graph/transitions/owner.ts'
import { rollback } from '../../pipeline/graph/transitions/points.ts'
import { markDead } from '../../pipeline/hosts/take.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { type HostOptions, projectHost } from '../support/project-host.ts'
import type { WithWorld } from './projects.ts'
import { rejection } from './values.ts'

type MemoryStore = ReturnType<typeof memoryStore>

const P = projectId('p1')

const read = (path: string): Promise<string> => readFile(join(path, 'file'), 'utf8')
const write = (path: string, text: string): Promise<void> => writeFile(join(path, 'file'), text)

/** `refusesBusy`: an unmount of what is in use fails, as a kernel's does and the fake's does not. */
export function lifeContract(name: string, withWorld: WithWorld, { refusesBusy = true } = {}): void {
  const test = suite(`life of projects on ${name}`)

  const withProject = (
    body: (host: ProjectHost, path: string, store: MemoryStore) => Promise<void>,
    options: HostOptions = {},
  ): Promise<void> =>
    withWorld(async (world) => {
      const store = memoryStore()
      const host = await projectHost(world, store, options)
      const { path } = await createProjectHere(host, P)
      await write(path, 'one')
      await body(host, path, store)
    })

  const resides = (host: ProjectHost): Promise<boolean> => exists(host.zfs, liveName(host.parent, P))

  test('evicted, it is saved, gone from the pool, nobody’s, and opens again', () =>
    withProject(async (host, path) => {
      await chmod(path, 0o750)
      const { point, project, notReleased } = await evict(host, P)
      assert.not(await resides(host))
      assert.is(project.statics.head, point)
      assert.is(project.statics.owner, null)
      assert.is(notReleased, undefined)
      const again = await open(host, P)
      assert.is(await read(again.path), 'one')
      assert.is((await save(host, P)).kind, 'unchanged')
    }))

  if (refusesBusy)
    test('in use it is not evicted, and who is in it keeps their file', () =>
      withProject(async (host, path, store) => {
        const file = await openFile(join(path, 'file'), 'r+')
        try {
          for (const act of [evict, close, destroyHere]) {
            const busy = await rejection<TidepoolError>(act(host, P), act.name)
            assert.is(busy.code, 'dataset-busy', act.name)
            assert.match(busy.hint ?? '', `tidepool close ${P} --kill`)
          }
          await file.write('two')
          assert.is(await read(path), 'two')
          assert.is((await store.catalogue.read(P))?.statics.owner, host.host)
        } finally {
          await file.close()
        }
        await evict(host, P)
        assert.is(await read((await open(host, P)).path), 'two')
      }))

  test('what a killed save left held does not keep it in the pool', () =>
    withProject(async (host) => {
      await save(host, P)
      const [saved] = await listSnapshots(host.zfs, liveName(host.parent, P))
      assert.ok(saved)
      await hold(host.zfs, SAVE_HOLD, saved.name)
      await evict(host, P)
      assert.not(await resides(host))
    }))

  test('a snapshot with nothing in it, which a killed look at it left, makes no fork of it', () =>
    withProject(async (host, path, store) => {
      const { point } = await save(host, P)
      await write(path, 'two')
      await close(host, P)
      const live = liveName(host.parent, P)
      const names = (await listSnapshots(host.zfs, live)).map(({ name }) => name)
      await snapshot(host.zfs, pointName(live, names, Date.now()))
      // As a rollback that was killed before it opened anything.
      const now = (await store.catalogue.read(P))!
      const taken = await settle(store.catalogue, now, takeOver(now, host.host))
      await settle(store.catalogue, taken, rollback(taken, point))
      const opened = await open(host, P)
      assert.is(await read(opened.path), 'one')
      assert.equal(opened.setAside, [])
    }))

  for (const [what, harm] of [
    ['lacks a chunk', (chunks: Map<number, unknown>) => void chunks.delete(0)],
    [
      'has a damaged one',
      (chunks: Map<number, { data: Buffer }>) => {
        const first = chunks.get(0)
        if (first) first.data[100] = (first.data[100] ?? 0) ^ 1
      },
    ],
  ] as const)
    test(`where the store ${what} it stays, mounted as it was`, () =>
      withProject(async (host, path, store) => {
        await save(host, P)
        for (const { chunks } of store.state.blobs.values()) harm(chunks as Map<number, { data: Buffer }>)
        const error = await rejection(evict(host, P))
        assert.is(codeOf(error), 'not-proven')
        assert.ok(error instanceof TidepoolError && error.hint?.includes('verify'))
        assert.is(await read(path), 'one')
        await write(path, 'goes on')
        assert.is((await store.catalogue.read(P))?.statics.owner, host.host)
      }))

  test('what was committed a moment ago is not relied on yet', () =>
    withProject(
      async (host, path) => {
        assert.is(codeOf(await rejection(evict(host, P))), 'commit-too-young')
        assert.is(await read(path), 'one')
      },
      { settings: { evictAfterCommitMs: 3_600_000 } },
    ))

  // Before it begins, in both saves, and after the proof: what was allowed then may no longer be.
  for (const refusedAt of [1, 2, 3, 4])
    test(`a host that may not act removes nothing (asked for the ${refusedAt}. time)`, () =>
      withProject(async (host, path) => {
        let asked = 0
        const lost = {
          ...host,
          mayAct: () => {
            asked += 1
            if (asked === refusedAt) throw new TidepoolError('host-lost', 'lost')
          },
        }
        assert.is(codeOf(await rejection(evict(lost, P))), 'host-lost')
        assert.is(asked, refusedAt)
        assert.is(await read(path), 'one')
      }))

  test('written to by a hand while the proof is made, it stays, and the next time it is saved first', () =>
    withProject(async (host, path, store) => {
      const live = liveName(host.parent, P)
      let looks = 0
      const blobs = {
        ...store.blobs,
        async *missing(...args: Parameters<typeof store.blobs.missing>) {
          looks += 1
          await mount(host.zfs, live)
          await write(path, 'by hand')
          await unmount(host.zfs, live)
          yield* store.blobs.missing(...args)
        },
      }
      const error = await rejection(evict({ ...host, store: { ...store, blobs } }, P))
      assert.is(codeOf(error), 'not-evictable')
      assert.ok(looks > 0)
      assert.is(await read(path), 'by hand')
      await evict(host, P)
      assert.is(await read((await open(host, P)).path), 'by hand')
    }))

  test('purged by somebody while the proof is made, what the pool has of it stays', () =>
    withProject(async (host, path, store) => {
      await save(host, P)
      const blobs = {
        ...store.blobs,
        async *missing(...args: Parameters<typeof store.blobs.missing>) {
          yield* store.blobs.missing(...args)
          const live = (await store.catalogue.read(P))!
          if (live.statics.life !== 'live') return
          const destroyed = await settle(store.catalogue, live, destroyProject(live, 0))
          await settle(store.catalogue, destroyed, startPurge(destroyed, 0))
        },
      }
      const error = await rejection(evict({ ...host, store: { ...store, blobs } }, P))
      assert.is(codeOf(error), 'not-evictable')
      assert.ok(await resides(host))
      assert.is(await read(path), 'one')
    }))

  test('once it is gone from the pool that is told, also where the store goes silent before the release', () =>
    withProject(async (host, _path, store) => {
      let asked = 0
      let silent = false
      const failing = async (): Promise<never> => {
        throw new TidepoolError('store-unavailable', 'no answer')
      }
      const catalogue = {
        ...store.catalogue,
        read: (...args: Parameters<typeof store.catalogue.read>) =>
          silent ? failing() : store.catalogue.read(...args),
        apply: (...args: Parameters<typeof store.catalogue.apply>) =>
          silent ? failing() : store.catalogue.apply(...args),
      }
      const mayAct = (): void => {
        asked += 1
        if (asked === 4) silent = true
      }
      const { point, project, notReleased } = await evict(
        { ...host, mayAct, store: { ...store, catalogue } },
        P,
      )
      assert.ok(silent)
      assert.is(codeOf(notReleased), 'store-unavailable')
      assert.is(project.statics.head, point)
      assert.not(await resides(host))
      assert.is((await close(host, P)).project.statics.owner, null)
    }))

  test('what diverged is a side point, kept, before it is evicted', () =>
    withProject(async (host, path, store) => {
      await save(host, P)
      await write(path, 'only here')
      const row = await store.catalogue.readHost(host.host)
      assert.ok(row)
      await markDead(store.catalogue, row)
      await withWorld(async (other) => {
        const b = await projectHost(other, store, { name: 'b' })
        await write((await open(b, P)).path, 'of b')
        await close(b, P)
      })
      const { point, project } = await evict(host, P)
      assert.is(project.statics.kept[point], 'side')
      assert.is.not(project.statics.head, point)
      assert.is(await read((await rollBack(host, P, point)).path), 'only here')
    }))

  test('rolled back to an older point, and forward to the one that it left', () =>
    withProject(async (host, path, store) => {
      const first = await snapshotProject(host, P)
      await write(path, 'two')
      const second = await save(host, P)
      await write(path, 'three')
      const back = await rollBack(host, P, first)
      assert.is(await read(back.path), 'one')
      const { statics } = (await store.catalogue.read(P))!
      assert.is(statics.head, first)
      // What was not saved before the rollback is a point as well.
      const [left] = Object.keys(statics.kept)
      assert.ok(left !== undefined && left !== second.point)
      assert.is(await read((await rollBack(host, P, guid(left))).path), 'three')
      assert.is(codeOf(await rejection(rollBack(host, P, guid(4711n)))), 'point-unknown')
      assert.is(await read(path), 'three')
    }))

  test('what is saved on the way back does not let go of the point that it goes back to', () =>
    withProject(async (given, path) => {
      const retention = { latest: 2, hourly: 0, daily: 0, weekly: 0, monthly: 0 }
      const host = { ...given, settings: { ...given.settings, retention } }
      const first = await snapshotProject(host, P)
      // Each step is too large to be built on the one before it: nothing else needs the first point.
      await write(path, 'two'.repeat(100_000))
      await snapshotProject(host, P)
      await write(path, 'three'.repeat(200_000))
      assert.is(await read((await rollBack(host, P, first)).path), 'one')
    }))

  test('its history names each point and why it stays; marks come and go', () =>
    withProject(async (host, path, store) => {
      const first = await snapshotProject(host, P)
      assert.is(await snapshotProject(host, P), first)
      await write(path, 'two')
      const second = await snapshotProject(host, P)
      const policy = { ...DEFAULT_RETENTION, latest: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0 }
      const history = async () => historyOf((await store.catalogue.read(P))!, policy)
      const points = await history()
      assert.equal(points.map(({ guid, isHead, keptAs }) => ({ guid, isHead, keptAs })).sort(byHead), [
        { guid: second, isHead: true, keptAs: 'head' },
        { guid: first, isHead: false, keptAs: points.find((point) => point.guid === first)?.keptAs },
      ])
      for (const { pathStreams, pathBytes, host: by, name } of points) {
        assert.ok(pathStreams >= 1 && pathBytes > 0n)
        assert.is(by, host.host)
        assert.ok(name?.includes('@tidepool-'))
      }
      await pinPoint(host, P, first)
      assert.is((await history()).find((point) => point.guid === first)?.keptAs, 'pinned')
      const { rev } = (await pinPoint(host, P, first)).statics
      assert.is((await store.catalogue.read(P))?.statics.rev, rev, 'done already is done')
      await acknowledge(host, P, [first])
      assert.equal((await store.catalogue.read(P))?.statics.kept, {})
      await acknowledge(host, P, [first])
      for (const act of [pinPoint(host, P, guid(4711n)), acknowledge(host, P, [first, guid(4711n)])]) {
        const error = await rejection(act)
        assert.is(codeOf(error), 'point-unknown')
        assert.ok(error instanceof TidepoolError && error.hint !== undefined)
      }
    }))

  test('a local snapshot is in the pool alone', () =>
    withProject(async (host, _path, store) => {
      const local = await snapshotProject(host, P, { local: true })
      assert.is((await store.catalogue.read(P))?.rows.size, 0)
      const there = await listSnapshots(host.zfs, liveName(host.parent, P))
      assert.ok(
        there.some((snapshot) => snapshot.guid === local && snapshot.name.includes('@tidepool-local-')),
      )
    }))

  test('destroyed, it opens for nobody; had back, it has all that was written', () =>
    withProject(async (host, path) => {
      await save(host, P)
      await write(path, 'two')
      assert.is((await destroyHere(host, P)).statics.life, 'destroyed')
      assert.is((await destroyHere(host, P)).statics.life, 'destroyed')
      assert.ok(codeOf(await rejection(open(host, P))) !== undefined)
      assert.is((await undelete(host, P)).statics.life, 'live')
      const again = await open(host, P)
      assert.is(await read(again.path), 'two')
      assert.is(again.receivedStreams, 0)
      assert.equal(again.setAside, [])
      await write(again.path, 'three')
      const saved = await save(host, P)
      assert.is(saved.kind === 'saved' && saved.placement, 'head')
    }))

  test('of a destroyed project the pool lets go like of any other, and an undelete has it back', () =>
    withProject(async (host) => {
      await destroyHere(host, P)
      await evict(host, P)
      assert.not(await resides(host))
      await undelete(host, P)
      assert.is(await read((await open(host, P)).path), 'one')
    }))

  test.run()
}

const byHead = (a: { isHead: boolean }, b: { isHead: boolean }): number => Number(b.isHead) - Number(a.isHead)
