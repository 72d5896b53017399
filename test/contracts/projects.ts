/** What the project engine promises, whatever ZFS is below it: run on the fake and on the real ones. */
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { close } from '../../daemon/projects/close.ts'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { liveName, pointName, SAVE_HOLD } from '../../daemon/projects/names.ts'
import { currentSnapshot } from '../../daemon/projects/news.ts'
import { open } from '../../daemon/projects/open.ts'
import { newest, requireResident } from '../../daemon/projects/resident.ts'
import { save } from '../../daemon/projects/save.ts'
import { destroyDataset, hold, snapshot } from '../../native/zfs/dataset.ts'
import { findSnapshot } from '../../native/zfs/list.ts'
import { snapshotOf } from '../../native/zfs/names.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { type PoolWorld, projectHost } from '../support/project-host.ts'

export type WithWorld = (body: (world: PoolWorld) => Promise<void>) => Promise<void>

const P = projectId('p1')

export function projectsContract(name: string, withWorld: WithWorld): void {
  const test = suite(`projects on ${name}`)

  test('what was written is there again after the pool has lost it', () =>
    withWorld(async (world) => {
      const host = await projectHost(world, memoryStore())
      const { path } = await createProjectHere(host, P)
      await writeFile(join(path, 'file'), 'first')
      const first = await save(host, P)
      assert.is(first.kind, 'saved')
      assert.is((await save(host, P)).kind, 'unchanged')
      await appendFile(join(path, 'file'), ' second')
      const second = await save(host, P)
      assert.is(second.kind, 'saved')
      const closed = await close(host, P)
      assert.is(closed.saved?.kind, 'unchanged')
      assert.is(closed.project.statics.owner, null)
      await destroyDataset(world.zfs, liveName(world.parent, P), { withSnapshots: true })
      const again = await open(host, P)
      assert.is(await readFile(join(again.path, 'file'), 'utf8'), 'first second')
      assert.is((await save(host, P)).kind, 'unchanged')
    }))

  test('a snapshot by hand, made after the look, does not hide what was written before it', () =>
    withWorld(async (world) => {
      const host = await projectHost(world, memoryStore())
      const { path } = await createProjectHere(host, P)
      await writeFile(join(path, 'file'), 'saved')
      await save(host, P)
      const there = await requireResident(host, P)
      assert.is((await currentSnapshot(host, there)).guid, newest(there)?.guid)
      await writeFile(join(path, 'file'), 'written since')
      const byHand = await snapshot(world.zfs, snapshotOf(there.name, 'by-hand'))
      const end = await currentSnapshot(host, there)
      assert.not.equal(end.guid, newest(there)?.guid)
      assert.ok(end.createTxg > byHand.createTxg)
    }))

  test('what a killed save left held is let go and trimmed by a later one', () =>
    withWorld(async (world) => {
      const host = await projectHost(world, memoryStore())
      const { path } = await createProjectHere(host, P)
      const live = liveName(world.parent, P)
      const left = await snapshot(world.zfs, pointName(live, [], 0))
      await hold(world.zfs, SAVE_HOLD, left.name)
      for (const text of ['one', 'two', 'three']) {
        await writeFile(join(path, 'file'), text)
        await save(host, P)
      }
      assert.is(await findSnapshot(world.zfs, live, left.guid), undefined)
    }))

  test.run()
}
