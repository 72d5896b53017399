/** Datasets, their properties, snapshots, holds and bookmarks, and where they are mounted. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { mountsOf } from '../../native/mount/mountinfo.ts'
import {
  bookmark,
  create,
  destroyBookmark,
  destroyDataset,
  destroySnapshot,
  hold,
  holdTags,
  inheritProperty,
  release,
  rename,
  rollback,
  setProperties,
  snapshot,
} from '../../native/zfs/dataset.ts'
import { exists, value } from '../../native/zfs/get.ts'
import {
  dataset,
  findSnapshot,
  listAllSnapshots,
  listBookmarks,
  listDatasets,
  listSnapshots,
  newestSnapshot,
} from '../../native/zfs/list.ts'
import { mount, unmount } from '../../native/zfs/mount.ts'
import { bookmarkOf, childOf, datasetName, poolOf, snapshotOf, userProperty } from '../../native/zfs/names.ts'
import { poolState } from '../../native/zfs/pool.ts'
import { poolCheck } from '../../native/zfs/pool-check.ts'
import { receive } from '../../native/zfs/receive.ts'
import { send } from '../../native/zfs/send.ts'
import { guid } from '../../pipeline/base/ids.ts'
import { contents, gather, guids, names, type Promised, rejects, sample } from './zfs-world.ts'

export function datasetContract(it: Promised): void {
  it('what is told not to mount by itself and where to mount, in one breath, is not mounted by that', async ({
    zfs,
    parent,
    mounts,
  }) => {
    for (let n = 0; n < 5; n++) {
      const made = childOf(parent, `made${n}`)
      // As a receive leaves it.
      await zfs.commands.change('zfs', ['create', '-o', 'canmount=on', made])
      const values = {
        [userProperty('tidepool:id')]: 'a',
        mountpoint: join(mounts, 'made'),
        canmount: 'noauto',
      }
      await setProperties(zfs, made, values)
      assert.equal(await mountsOf(made, zfs.commands.settings.mountInfo), [])
    }
  })

  it('a pool made for projects is as it checks for, and what differs comes with the command that mends it', async ({
    zfs,
    parent,
  }) => {
    const pool = poolOf(parent)
    const { state, differences } = await poolCheck(zfs, pool, parent)
    assert.equal(differences, [])
    assert.equal(state, await poolState(zfs, pool))
    assert.equal([state.health, state.readOnly, state.altroot], ['ONLINE', false, undefined])
    assert.ok(state.availableBytes > 0n)
    assert.is(await value(zfs, parent, 'mountpoint'), 'none')
    await setProperties(zfs, parent, { atime: 'on' })
    const [found, ...others] = (await poolCheck(zfs, pool, parent)).differences
    assert.equal(
      [found?.what, found?.found, found?.command, others],
      ['atime', 'on', `zfs set atime=off ${parent}`, []],
    )
    const [program, ...args] = found?.command.split(' ') ?? []
    await zfs.commands.change(program as 'zfs', args)
    assert.equal((await poolCheck(zfs, pool, parent)).differences, [])
    // All that a parent needs stands in the command that makes it: above it nothing is changed.
    const absent = childOf(parent, 'absent')
    const missing = (await poolCheck(zfs, pool, absent)).differences
    assert.equal(
      missing.map(({ what, serious }) => [what, serious]),
      [[absent, true]],
    )
    const [, ...made] = missing[0]?.command.split(' ') ?? []
    await zfs.commands.change('zfs', made)
    assert.equal((await poolCheck(zfs, pool, absent)).differences, [])
  })

  it('datasets are created unmounted and listed with what is set on them', async (world) => {
    const { zfs, parent } = world
    const id = userProperty('tidepool:id')
    const a = childOf(parent, 'a')
    await create(zfs, a, { [id]: "it's 100% ü", mountpoint: join(world.mounts, 'a') })
    await create(zfs, childOf(parent, 'b c'))
    const [first, second, ...others] = await gather(listDatasets(zfs, parent, { user: [id] }))
    assert.equal([first?.name, first?.mounted, [...(first?.user ?? [])]], [a, false, [[id, "it's 100% ü"]]])
    assert.equal([second?.name, second?.user.size, others], [`${parent}/b c`, 0, []])
    assert.is((await dataset(zfs, a))?.guid, first?.guid)
    assert.is(await dataset(zfs, childOf(parent, 'none')), undefined)
    assert.is(await exists(zfs, childOf(parent, 'none')), false)
    await rejects(create(zfs, a), 'dataset-exists')
    await rejects(create(zfs, childOf(childOf(parent, 'none'), 'x')), 'parent-missing')
    await rejects(gather(listDatasets(zfs, childOf(parent, 'none'))), 'dataset-missing')
  })

  it('properties are set one by one, inherited, and never with a value that breaks a list', async ({
    zfs,
    parent,
  }) => {
    const a = childOf(parent, 'a')
    await create(zfs, a)
    await setProperties(zfs, a, { 'tidepool:x': '1', 'tidepool:y': '2', quota: String(2 ** 26) })
    assert.equal([await value(zfs, a, 'tidepool:x'), await value(zfs, a, 'tidepool:y')], ['1', '2'])
    assert.is((await dataset(zfs, a))?.quotaBytes, 2n ** 26n)
    await inheritProperty(zfs, a, 'tidepool:x')
    assert.is(await value(zfs, a, 'tidepool:x'), undefined)
    for (const bad of ['', 'a\nb', 'a\tb', 'x'.repeat(8192)])
      await rejects(setProperties(zfs, a, { 'tidepool:x': bad }), 'bad-value')
    await rejects(setProperties(zfs, childOf(parent, 'none'), { 'tidepool:x': '1' }), 'dataset-missing')
  })

  it('snapshots have GUIDs and are in the order in which they were made', async (world) => {
    const { zfs, parent } = world
    const { dataset: source, first, second } = await sample(world)
    const listed = await listSnapshots(zfs, source)
    assert.equal(
      [listed.map(({ name }) => name), guids(listed)],
      [
        [first.name, second.name],
        [first.guid, second.guid],
      ],
    )
    assert.ok(first.createTxg < second.createTxg && Math.abs(first.createdMs - Date.now()) < 600_000)
    assert.is((await newestSnapshot(zfs, source))?.guid, second.guid)
    assert.is((await findSnapshot(zfs, source, first.guid))?.name, first.name)
    assert.is(await findSnapshot(zfs, source, guid(1n)), undefined)
    assert.equal(guids(await gather(listAllSnapshots(zfs, parent))), [first.guid, second.guid])
    await rejects(snapshot(zfs, first.name), 'dataset-exists')
    await rejects(snapshot(zfs, snapshotOf(childOf(parent, 'none'), 'x')), 'dataset-missing')
    await rejects(listSnapshots(zfs, childOf(parent, 'none')), 'dataset-missing')
  })

  it('what is destroyed is what was meant, and once is enough', async (world) => {
    const { zfs, parent } = world
    const { dataset: source, first, second } = await sample(world)
    await rejects(destroySnapshot(zfs, first.name, second.guid), 'snapshot-changed')
    await rejects(destroyDataset(zfs, source), 'has-children')
    await rejects(destroyDataset(zfs, parent, { withSnapshots: true }), 'has-children')
    await rejects(destroyDataset(zfs, datasetName(poolOf(parent))), 'dataset-is-pool')
    await mount(zfs, source)
    await rejects(destroyDataset(zfs, source, { withSnapshots: true }), 'dataset-mounted')
    await unmount(zfs, source)
    assert.is(await destroySnapshot(zfs, first.name, first.guid), true)
    assert.is(await destroySnapshot(zfs, first.name, first.guid), false)
    assert.is(await destroyDataset(zfs, source, { withSnapshots: true }), true)
    assert.is(await destroyDataset(zfs, source, { withSnapshots: true }), false)
    assert.equal(await names(world), [])
  })

  it('a hold keeps its snapshot, and says that it is one', async (world) => {
    const { zfs } = world
    const { dataset: source, first } = await sample(world)
    assert.is(await hold(zfs, 'keep-1', first.name), true)
    assert.is(await hold(zfs, 'keep-1', first.name), false)
    assert.is((await findSnapshot(zfs, source, first.guid))?.holds, 1)
    assert.equal(await holdTags(zfs, first.name), zfs.capabilities.holdsList ? ['keep-1'] : undefined)
    await rejects(destroySnapshot(zfs, first.name, first.guid), 'snapshot-held')
    await rejects(destroyDataset(zfs, source, { withSnapshots: true }), 'snapshot-held')
    assert.is(await release(zfs, 'keep-1', first.name), true)
    assert.is(await release(zfs, 'keep-1', first.name), false)
    assert.is(await destroySnapshot(zfs, first.name, first.guid), true)
    await rejects(hold(zfs, 'keep 1', first.name), 'bad-name')
  })

  it('a rename keeps GUIDs; a mounted dataset stays where it is', async (world) => {
    const { zfs, parent } = world
    const { dataset: source, second } = await sample(world)
    const there = childOf(parent, 'there')
    await mount(zfs, source)
    await rejects(rename(zfs, source, there), 'dataset-mounted')
    await unmount(zfs, source)
    await rename(zfs, source, there)
    assert.is((await newestSnapshot(zfs, there))?.guid, second.guid)
    await create(zfs, source)
    await rejects(rename(zfs, there, source), 'dataset-exists')
    await rejects(rename(zfs, childOf(parent, 'none'), childOf(parent, 'x')), 'dataset-missing')
  })

  it('a rollback goes to the newest snapshot, and further only when told so', async (world) => {
    const { zfs } = world
    const { dataset: source, first, second } = await sample(world)
    const path = await mount(zfs, source)
    await writeFile(join(path, 'three'), 'third')
    await rejects(rollback(zfs, second.name), 'dataset-mounted')
    await unmount(zfs, source)
    await rollback(zfs, second.name)
    assert.equal(
      (await contents(world, source)).map(([name]) => name),
      ['/two'],
    )
    await rejects(rollback(zfs, first.name), 'newer-snapshots')
    await rollback(zfs, first.name, { destroyNewer: true })
    assert.equal(guids(await listSnapshots(zfs, source)), [first.guid])
    assert.equal(
      (await contents(world, source)).map(([name]) => name),
      ['/one'],
    )
  })

  it('mounting and unmounting twice changes nothing, and nothing is covered', async (world) => {
    const { zfs, parent } = world
    const { dataset: source } = await sample(world)
    const path = await mount(zfs, source)
    assert.is(await mount(zfs, source), path)
    assert.is((await dataset(zfs, source))?.mounted, true)
    const other = childOf(parent, 'other')
    await create(zfs, other, { mountpoint: path })
    await rejects(mount(zfs, other), 'mountpoint-taken')
    assert.is(await unmount(zfs, source), true)
    assert.is(await unmount(zfs, source), false)
    await writeFile(join(path, 'in the way'), '')
    await rejects(mount(zfs, source), 'mountpoint-not-empty')
    await rm(join(path, 'in the way'))
    await setProperties(zfs, other, { mountpoint: 'none' })
    await rejects(mount(zfs, other), 'not-mountable')
    await rejects(mount(zfs, childOf(parent, 'none')), 'dataset-missing')
  })

  it('a bookmark stands for a snapshot that is gone, where there are bookmarks', async (world) => {
    const { zfs, parent } = world
    const { dataset: source, first, second } = await sample(world)
    const mark = bookmarkOf(source, first.guid)
    if (!zfs.capabilities.bookmarks) {
      await rejects(bookmark(zfs, first.name, mark), 'not-supported')
      assert.equal(await listBookmarks(zfs, source), [])
      return
    }
    const copy = childOf(parent, 'copy')
    await receive(zfs, copy, send(zfs, first.name), { to: first.guid })
    assert.is(await bookmark(zfs, first.name, mark), true)
    assert.is(await bookmark(zfs, first.name, mark), false)
    await rejects(bookmark(zfs, second.name, mark), 'dataset-exists')
    await destroySnapshot(zfs, first.name, first.guid)
    assert.equal(
      (await listBookmarks(zfs, source)).map((one) => one.guid),
      [first.guid],
    )
    await receive(zfs, copy, send(zfs, second.name, { from: mark }), { from: first.guid, to: second.guid })
    assert.is(await destroyBookmark(zfs, mark), true)
    assert.is(await destroyBookmark(zfs, mark), false)
  })
}
