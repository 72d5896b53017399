/** What was restored, once it is there: told apart from projects, listed, removed. */
import { open as openFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { evict } from '../../daemon/projects/evict.ts'
import { liveName, POINT_PROPERTY, restoredName } from '../../daemon/projects/names.ts'
import { open } from '../../daemon/projects/open.ts'
import { reconcile } from '../../daemon/projects/reconcile.ts'
import { restorePoint } from '../../daemon/projects/restore-point.ts'
import { listRestored, removeRestored } from '../../daemon/projects/restored.ts'
import { create, rename, setProperties } from '../../native/zfs/dataset.ts'
import { exists } from '../../native/zfs/get.ts'
import { unmount } from '../../native/zfs/mount.ts'
import { childOf, lastPart } from '../../native/zfs/names.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import type { Guid } from '../../pipeline/base/ids.ts'
import { datasets, P, read, rejected, withPoints } from '../support/project-points.ts'
import type { WithWorld } from './projects.ts'

/** `refusesBusy`: an unmount of what is in use fails, as a kernel's does and the fake's does not. */
export function restoredContract(name: string, withWorld: WithWorld, { refusesBusy = true } = {}): void {
  const test = suite(`restored points on ${name}`)

  test('removed, it is gone with its directory, and the project is not', () =>
    withPoints(withWorld, async ({ host, path, one, two }) => {
      const { path: old } = await restorePoint(host, P, { guid: one })
      assert.not(await removeRestored(host, P, two))
      assert.ok(await removeRestored(host, P, one))
      assert.not(await removeRestored(host, P, one))
      assert.is(((await rejected(stat(old))) as NodeJS.ErrnoException).code, 'ENOENT')
      assert.is(await read(path), 'three')
      assert.equal(await datasets(host), [P])
    }))

  test('so many of a project at a time: one more is refused by those that are there, which stay', () =>
    withPoints(withWorld, async ({ host, path, one, two }) => {
      const bounded = { ...host, settings: { ...host.settings, maxRestored: 1 } }
      const { path: old } = await restorePoint(bounded, P, { guid: one })
      const refused = await rejected(restorePoint(bounded, P, { guid: two }))
      assert.is(codeOf(refused), 'too-many-restored')
      assert.match(String(refused), one)
      assert.is(
        (await restorePoint(bounded, P, { guid: one })).path,
        old,
        'what is there is found all the same',
      )
      assert.is(await read(old), 'one')
      assert.equal(await datasets(host), [P, lastPart(restoredName(host.parent, P, one))].sort())
      assert.ok(await removeRestored(bounded, P, one))
      assert.is(await read((await restorePoint(bounded, P, { guid: two })).path), 'two')
      assert.is(await read(path), 'three')
    }))

  if (refusesBusy)
    test('in use it is not removed, and who is in it is named', () =>
      withPoints(withWorld, async ({ host, one }) => {
        const { path } = await restorePoint(host, P, { guid: one })
        const file = await openFile(join(path, 'file'))
        try {
          const error = await rejected(removeRestored(host, P, one))
          assert.is(codeOf(error), 'dataset-busy')
          assert.match(String(error), String(process.pid))
          assert.is(await read(path), 'one')
        } finally {
          await file.close()
        }
        assert.ok(await removeRestored(host, P, one))
      }))

  test('a start lists what was restored, removes what was half received, and takes neither for a project', () =>
    withPoints(withWorld, async ({ host, one }) => {
      const { dataset, path } = await restorePoint(host, P, { guid: one })
      await create(host.zfs, childOf(host.parent, `receiving.${P}.00000000`))
      const found = await reconcile(host)
      assert.equal(
        found.restored.map(({ id, point, name, mounted }) => ({ id, point, name, mounted })),
        [{ id: P, point: one, name: dataset, mounted: true }],
      )
      assert.equal(
        found.residents.map(({ id }) => id),
        [P],
      )
      assert.is(found.removed.length, 1)
      assert.equal([...found.unknown, ...found.renamed, ...found.aside], [])
      assert.is(await read(path), 'one')
      const listed: Guid[] = []
      for await (const { point } of listRestored(host)) listed.push(point)
      assert.equal(listed, [one])
      await evict(host, P)
      assert.is(await read(path), 'one')
      assert.is(await read((await open(host, P)).path), 'three')
    }))

  test('under the project’s own name it is not taken for the project', () =>
    withPoints(withWorld, async ({ host, one }) => {
      const { dataset } = await restorePoint(host, P, { guid: one })
      await evict(host, P)
      await unmount(host.zfs, dataset)
      await rename(host.zfs, dataset, liveName(host.parent, P))
      assert.is(codeOf(await rejected(open(host, P))), 'dataset-foreign')
      assert.equal((await reconcile(host)).residents, [])
    }))

  test('what is only called like one is left alone', () =>
    withPoints(withWorld, async ({ host, one }) => {
      const taken = restoredName(host.parent, P, one)
      await create(host.zfs, taken)
      assert.is(codeOf(await rejected(restorePoint(host, P, { guid: one }))), 'dataset-foreign')
      assert.is(codeOf(await rejected(removeRestored(host, P, one))), 'dataset-foreign')
      await setProperties(host.zfs, taken, { [POINT_PROPERTY]: one })
      const found = await reconcile(host)
      assert.equal(
        found.unknown.map((unknown) => unknown.name),
        [taken],
      )
      assert.ok(await exists(host.zfs, taken))
    }))

  test.run()
}
