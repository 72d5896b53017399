/** Old points beside their projects: whole, read-only, found again, and nothing else is changed by them. */
import { rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { close } from '../../daemon/projects/close.ts'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { destroyHere } from '../../daemon/projects/destroy.ts'
import { evict } from '../../daemon/projects/evict.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { open } from '../../daemon/projects/open.ts'
import { restorePoint } from '../../daemon/projects/restore-point.ts'
import { removeRestored } from '../../daemon/projects/restored.ts'
import { save } from '../../daemon/projects/save.ts'
import { snapshotProject } from '../../daemon/projects/snapshot.ts'
import { destroySnapshot } from '../../native/zfs/dataset.ts'
import { value } from '../../native/zfs/get.ts'
import { findSnapshot, listSnapshots } from '../../native/zfs/list.ts'
import { unmount } from '../../native/zfs/mount.ts'
import { lastPart } from '../../native/zfs/names.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { type Guid, guid, projectId } from '../../pipeline/base/ids.ts'
import { settle } from '../../pipeline/graph/settle.ts'
import { startPurge } from '../../pipeline/graph/transitions/life.ts'
import { supersedeWrites } from '../../pipeline/graph/transitions/removal.ts'
import type { BlobStore } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { StreamCache } from '../../pipeline/stores/stream-cache/index.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { projectHost } from '../support/project-host.ts'
import { datasets, P, read, rejected, withPoints, write } from '../support/project-points.ts'
import { bytes, seeded } from '../support/random.ts'
import { KIB } from '../support/transfer.ts'
import type { WithWorld } from './projects.ts'

const guidsOf = async ({ zfs, parent }: ProjectHost): Promise<Guid[]> =>
  (await listSnapshots(zfs, liveName(parent, P))).map((one) => one.guid)

/** What reads of the store's chunks come through here first. */
function reading(host: ProjectHost, before: () => Promise<void> | void): ProjectHost {
  const { store } = host
  const blobs: BlobStore = {
    ...store.blobs,
    async open(...args) {
      await before()
      return store.blobs.open(...args)
    },
  }
  return { ...host, store: { ...store, blobs } }
}

/** `isReal`: what is read-only can't be written, as the fake lets it be. */
export function restoreContract(name: string, withWorld: WithWorld, { isReal = true } = {}): void {
  const test = suite(`restores on ${name}`)

  test('an old point is read beside the project, which goes on and knows nothing of it', () =>
    withPoints(withWorld, async ({ host, path, store, one, two }) => {
      const before = { project: await store.catalogue.read(P), guids: await guidsOf(host) }
      const restored = await restorePoint(host, P, { guid: one })
      assert.is(await read(restored.path), 'one')
      assert.is(restored.point, one)
      assert.is(dirname(restored.path), host.mountRoot)
      assert.is((await stat(host.mountRoot)).mode & 0o777, 0o711)
      // A mounted one of zfs-fuse says `off`, and refuses all the same.
      if (!isReal) assert.is(await value(host.zfs, restored.dataset, 'readonly'), 'on')
      else assert.match(String(await rejected(write(restored.path, 'x'))), 'EROFS')
      assert.is(await read(path), 'three')
      assert.equal({ project: await store.catalogue.read(P), guids: await guidsOf(host) }, before)
      // The other one has a place of its own, and the project is saved as if there was none.
      const other = await restorePoint(host, P, { guid: two })
      assert.is(await read(other.path), 'two')
      const saved = await save(host, P)
      assert.is(saved.kind === 'saved' && saved.placement, 'head')
      assert.is(await read(restored.path), 'one')
    }))

  test('restored a second time it is found, also where somebody unmounted it', () =>
    withPoints(withWorld, async ({ host, one }) => {
      const first = await restorePoint(host, P, { guid: one })
      assert.ok(first.isNew)
      const again = await restorePoint(reading(host, assert.unreachable), P, { guid: one })
      assert.equal(again, { ...first, receivedStreams: 0, receivedBytes: 0n, isNew: false })
      await unmount(host.zfs, first.dataset)
      assert.is((await restorePoint(host, P, { guid: one })).path, first.path)
      assert.is(await read(first.path), 'one')
      const both = await Promise.all([
        restorePoint(host, P, { guid: one }),
        restorePoint(host, P, { guid: one }),
      ])
      assert.is(both[0]?.path, both[1]?.path)
    }))

  test('by time it is the newest at that moment or before', () =>
    withPoints(withWorld, async ({ host, path, store, two }) => {
      // Snapshots know the second in which they were made.
      await sleep(1100)
      await write(path, 'late')
      const late = await snapshotProject(host, P)
      const rows = [...(await store.catalogue.read(P))!.rows.values()]
      const atMs = rows.find(({ to }) => to === late)!.manifest!.stream.createdAtMs!
      assert.is((await restorePoint(host, P, { atMs })).point, late)
      assert.is((await restorePoint(host, P, { atMs: atMs - 1 })).point, two)
      const error = await rejected(restorePoint(host, P, { atMs: 0 }))
      assert.is(codeOf(error), 'point-unknown')
      assert.ok(error instanceof TidepoolError && error.hint?.includes('oldest'))
    }))

  test('whoever owns it: another host reads old points of what is open elsewhere', () =>
    withPoints(withWorld, ({ host, path, store, one, two }) =>
      withWorld(async (other) => {
        const b = await projectHost(other, store, { name: 'b' })
        const before = await store.catalogue.read(P)
        const restored = await restorePoint({ ...b, mayAct: () => assert.unreachable() }, P, { guid: one })
        assert.is(await read(restored.path), 'one')
        assert.ok(restored.receivedStreams > 0 && restored.receivedBytes > 0n)
        assert.equal(await store.catalogue.read(P), before)
        await write(path, 'four')
        await close(host, P)
        assert.is(await read((await open(b, P)).path), 'four')
        assert.is(await read(restored.path), 'one')
        assert.is((await restorePoint(b, P, { guid: two })).path.endsWith(two), true)
      }),
    ))

  test('of a destroyed project, until it is purged', () =>
    withPoints(withWorld, async ({ host, store, one }) => {
      await destroyHere(host, P)
      await evict(host, P)
      assert.is(await read((await restorePoint(host, P, { guid: one })).path), 'one')
      const destroyed = (await store.catalogue.read(P))!
      await settle(store.catalogue, destroyed, startPurge(destroyed, 0))
      assert.is(codeOf(await rejected(restorePoint(host, P, { guid: one }))), 'project-gone')
    }))

  test('what the pool holds is copied there, and no chunk is read', () =>
    withPoints(withWorld, async ({ host }) => {
      const three = await snapshotProject(host, P)
      const before = await guidsOf(host)
      const restored = await restorePoint(reading(host, assert.unreachable), P, { guid: three })
      assert.is(await read(restored.path), 'three')
      assert.is(restored.receivedStreams, 0)
      assert.equal(await guidsOf(host), before)
      // Also one that was never to be in the store.
      await write((await open(host, P)).path, 'local')
      const local = await snapshotProject(host, P, { local: true })
      assert.is(await read((await restorePoint(host, P, { guid: local })).path), 'local')
    }))

  test('a step goes onto the copy and not into the project, which has the same base as its newest', () =>
    withWorld((one) =>
      withWorld(async (two) => {
        const store = memoryStore()
        const a = await projectHost(one, store, { name: 'a' })
        const b = await projectHost(two, store, { name: 'b' })
        const { path } = await createProjectHere(a, P)
        await writeFile(join(path, 'large'), bytes(seeded(1), 512 * KIB))
        await close(a, P)
        const opened = await open(b, P)
        await rm(join(opened.path, 'large'))
        await write(opened.path, 'step')
        const step = await save(b, P)
        assert.ok(step.kind === 'saved' && step.base !== null, 'it is a step')
        const before = await guidsOf(a)
        const restored = await restorePoint(a, P, { guid: step.point })
        assert.is(await read(restored.path), 'step')
        assert.is(restored.receivedStreams, 1)
        assert.equal(await guidsOf(a), before)
        assert.equal(await datasets(a), [lastPart(liveName(a.parent, P)), lastPart(restored.dataset)].sort())
        await close(b, P)
        assert.is(await read((await open(a, P)).path), 'step')
      }),
    ))

  test('the project is saved and leaves the pool meanwhile, as if there was no restore', () =>
    withPoints(withWorld, async ({ host, path, one }) => {
      const held = await findSnapshot(host.zfs, liveName(host.parent, P), one)
      if (held) await destroySnapshot(host.zfs, held.name, one)
      await write(path, 'meanwhile')
      let evicted: Promise<unknown> | undefined
      const slow = reading(host, async () => {
        evicted ??= save(host, P).then(() => evict(host, P))
        await evicted
      })
      assert.is(await read((await restorePoint(slow, P, { guid: one })).path), 'one')
      assert.ok(evicted)
      assert.is(await read((await open(host, P)).path), 'meanwhile')
    }))

  test('what is being copied is not trimmed, and its project does not leave the pool', () =>
    withPoints(withWorld, async ({ host, path, two }) => {
      await host.restores.copy(P, two, async () => {
        for (const text of ['four', 'five']) {
          await write(path, text)
          assert.is((await save(host, P)).kind, 'saved')
        }
        assert.ok((await guidsOf(host)).includes(two))
        const error = await rejected(evict(host, P))
        assert.is(codeOf(error), 'dataset-busy')
        assert.ok(error instanceof TidepoolError && error.temporary && error.hint)
        assert.is(await read(path), 'five')
      })
      await evict(host, P)
    }))

  test('with a cache in front, what was received once costs the store no chunk; a proof never asks it', () =>
    withPoints(withWorld, async ({ host: bare, store, one }) => {
      const { path: directory, remove } = await temporaryDirectory()
      try {
        const streamCache = await StreamCache.open(directory, { maxBytes: 1n << 30n })
        const host = { ...bare, streamCache }
        await evict(host, P)
        assert.is(await read((await open(host, P)).path), 'three')
        await evict(host, P)
        const silent = reading(host, assert.unreachable)
        assert.is(await read((await open(silent, P)).path), 'three')
        await evict(host, P)
        await restorePoint(host, P, { guid: one })
        await removeRestored(host, P, one)
        assert.is(await read((await restorePoint(silent, P, { guid: one })).path), 'one')
        await open(silent, P)
        for (const { chunks } of store.state.blobs.values()) chunks.delete(0)
        assert.is(codeOf(await rejected(evict(host, P))), 'not-proven')
      } finally {
        await remove()
      }
    }))

  test('a point that never was, and one that is no longer kept, are told apart; nothing is left of a try', () =>
    withPoints(withWorld, async ({ host, store, one }) => {
      await evict(host, P)
      assert.is(codeOf(await rejected(restorePoint(host, P, { guid: guid(4711n) }))), 'point-unknown')
      const unknown = await rejected(restorePoint(host, projectId('nobody'), { guid: one }))
      assert.is(codeOf(unknown), 'project-unknown')
      const project = (await store.catalogue.read(P))!
      const edges = [...project.rows.values()].filter(({ to }) => to === one)
      await settle(store.catalogue, project, supersedeWrites(project, edges, 0))
      const error = await rejected(restorePoint(host, P, { guid: one }))
      assert.is(codeOf(error), 'point-gone')
      assert.ok(error instanceof TidepoolError && error.hint?.includes('stream graph'))
      assert.equal(await datasets(host), [])
    }))

  test('where the store lacks a chunk it says so, and nothing is left', () =>
    withPoints(withWorld, async ({ host, store, one }) => {
      await evict(host, P)
      for (const { chunks } of store.state.blobs.values()) chunks.delete(0)
      const error = await rejected(restorePoint(host, P, { guid: one }))
      assert.is(codeOf(error), 'point-unreadable')
      assert.ok(error instanceof TidepoolError && error.hint?.includes('stream verify'))
      assert.is(codeOf(error.cause), 'chunk-missing')
      assert.equal(await datasets(host), [])
    }))

  test('ended in the middle it leaves nothing, and the next one brings it', () =>
    withPoints(withWorld, async ({ host, one }) => {
      await evict(host, P)
      const ending = new AbortController()
      const cut = reading(host, () => ending.abort(new Error('enough')))
      const error = await rejected(restorePoint(cut, P, { guid: one }, { signal: ending.signal }))
      assert.match(String(error), 'enough')
      assert.equal(await datasets(host), [])
      assert.is(await read((await restorePoint(host, P, { guid: one })).path), 'one')
    }))

  test.run()
}
