/** What `native/zfs` promises, whatever ZFS is below it: run on the fake and on the real one of the machine. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
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
  type Snapshot,
} from '../../native/zfs/list.ts'
import { mount, unmount } from '../../native/zfs/mount.ts'
import {
  bookmarkOf,
  childOf,
  type DatasetName,
  datasetName,
  poolOf,
  snapshotOf,
  userProperty,
} from '../../native/zfs/names.ts'
import { poolState } from '../../native/zfs/pool.ts'
import { poolCheck } from '../../native/zfs/pool-check.ts'
import { receive, type Source } from '../../native/zfs/receive.ts'
import { send } from '../../native/zfs/send.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { type Guid, guid } from '../../pipeline/base/ids.ts'

export interface ZfsWorld {
  readonly zfs: Zfs
  /** Of this test alone, made by `poolCreate`. */
  readonly parent: DatasetName
  /** Where it may mount; it need not exist. */
  readonly mounts: string
}

export async function gather<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of from) all.push(one)
  return all
}

export async function rejects(promise: Promise<unknown>, code: string): Promise<Error> {
  try {
    await promise
  } catch (error) {
    assert.is(codeOf(error), code, String(error))
    return error as Error
  }
  throw new Error(`it did not reject with ${code}`)
}

/** A dataset with files and two snapshots, not mounted. */
export async function sample({ zfs, parent, mounts }: ZfsWorld, name = 'source') {
  const made = childOf(parent, name)
  await create(zfs, made, { mountpoint: join(mounts, name) })
  const path = await mount(zfs, made)
  await writeFile(join(path, 'one'), 'first\n'.repeat(1000))
  await mkdir(join(path, 'dir'))
  await symlink('one', join(path, 'dir', 'link'))
  const first = await snapshot(zfs, snapshotOf(made, 'first'))
  await writeFile(join(path, 'two'), 'second\n'.repeat(20_000))
  await rm(join(path, 'one'))
  const second = await snapshot(zfs, snapshotOf(made, 'second'))
  await unmount(zfs, made)
  return { dataset: made, first, second }
}

const names = async ({ zfs, parent }: ZfsWorld) =>
  (await gather(listDatasets(zfs, parent))).map(({ name }) => name).sort()
const guids = (snapshots: readonly Snapshot[]): Guid[] => snapshots.map((one) => one.guid)

/** What is in it, seen through a mount. */
async function contents({ zfs, mounts }: ZfsWorld, of: DatasetName): Promise<[string, string][]> {
  await setProperties(zfs, of, { mountpoint: join(mounts, 'look') })
  const path = await mount(zfs, of)
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const read = await Promise.all(
    files
      .sort()
      .map(
        async (file): Promise<[string, string]> => [file.slice(path.length), await readFile(file, 'utf8')],
      ),
  )
  await unmount(zfs, of)
  return read
}

export function zfsContract(
  label: string,
  withWorld: (body: (world: ZfsWorld) => Promise<void>) => Promise<void>,
): void {
  const test = suite(`zfs contract: ${label}`)
  const it = (name: string, body: (world: ZfsWorld) => Promise<void>) => test(name, () => withWorld(body))

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

  it('a full stream and a step bring the same files, GUIDs included', async (world) => {
    const { zfs, parent } = world
    const { dataset: source, first, second } = await sample(world)
    const copy = childOf(parent, 'copy')
    const got = await receive(zfs, copy, (signal) => send(zfs, first.name, { signal }), { to: first.guid })
    assert.equal([got.guid, got.name], [first.guid, `${copy}@first`])
    assert.is((await dataset(zfs, copy))?.mounted, false)
    assert.is(await value(zfs, copy, 'canmount'), 'noauto')
    await receive(zfs, copy, send(zfs, second.name, { from: first.name }), {
      from: first.guid,
      to: second.guid,
      tag: 'renamed',
    })
    assert.equal(
      (await listSnapshots(zfs, copy)).map(({ name }) => name),
      [`${copy}@first`, `${copy}@renamed`],
    )
    assert.equal(await contents(world, copy), await contents(world, source))
  })

  it('what is received goes into the dataset that is named, or nowhere', async (world) => {
    const { zfs, parent } = world
    const { dataset: source, first, second } = await sample(world)
    const twin = childOf(parent, 'twin')
    await receive(zfs, twin, send(zfs, first.name), { to: first.guid })
    const step = () => send(zfs, second.name, { from: first.name })
    const before = await names(world)
    let ended = false
    const watched = async function* () {
      try {
        yield* step()
      } finally {
        ended = true
      }
    }
    await rejects(
      receive(zfs, childOf(parent, 'none'), watched(), { from: first.guid, to: second.guid }),
      'dataset-missing',
    )
    assert.is(ended, false, 'a source that was not asked for anything has nothing to end')
    await rejects(receive(zfs, source, step(), { from: first.guid, to: second.guid }), 'base-missing')
    await rejects(receive(zfs, twin, send(zfs, first.name), { to: first.guid }), 'dataset-exists')
    await rejects(
      receive(zfs, childOf(childOf(parent, 'none'), 'x'), send(zfs, first.name), { to: first.guid }),
      'parent-missing',
    )
    await setProperties(zfs, twin, { mountpoint: join(world.mounts, 'twin') })
    await mount(zfs, twin)
    await rejects(receive(zfs, twin, step(), { from: first.guid, to: second.guid }), 'dataset-mounted')
    await unmount(zfs, twin)
    assert.equal(guids(await listSnapshots(zfs, twin)), [first.guid])
    assert.equal(await names(world), before)
  })

  it('of a stream that is not the right one, nothing is left', async (world) => {
    const { zfs, parent } = world
    const { first, second } = await sample(world)
    const failure = new Error('the digest is wrong')
    const whole = () => send(zfs, second.name)
    const bad: [string | Error, () => AsyncIterable<Uint8Array>][] = [
      [
        failure,
        async function* () {
          yield* whole()
          throw failure
        },
      ],
      [
        failure,
        async function* () {
          for await (const piece of whole()) {
            yield piece.subarray(0, 1000)
            throw failure
          }
        },
      ],
      [
        'stream-truncated',
        async function* () {
          for await (const piece of whole()) {
            yield piece.subarray(0, 1000)
            return
          }
        },
      ],
      ['stream-truncated', async function* () {}],
      [
        'stream-foreign',
        async function* () {
          yield Buffer.alloc(5000, 'no stream ')
        },
      ],
      ['received-other', () => send(zfs, first.name)],
    ]
    for (const [expected, source] of bad) {
      const target = childOf(parent, 'target')
      try {
        await receive(zfs, target, source(), { to: second.guid })
        assert.unreachable(String(expected))
      } catch (error) {
        if (expected instanceof Error) assert.is(error, expected)
        else assert.is(codeOf(error), expected, String(error))
      }
      if (expected === 'received-other') await destroyDataset(zfs, target, { withSnapshots: true })
      assert.equal(await names(world), [`${parent}/source`], String(expected))
    }
  })

  it('of a step that is not the right one, the base is left as it was', async (world) => {
    const { zfs, parent } = world
    const { first, second } = await sample(world)
    const copy = childOf(parent, 'copy')
    await receive(zfs, copy, send(zfs, first.name), { to: first.guid })
    const failure = new Error('the digest is wrong')
    const step = () => send(zfs, second.name, { from: first.name })
    const lateFailure = async function* () {
      yield* step()
      throw failure
    }
    for (const source of [
      lateFailure,
      async function* () {
        for await (const piece of step()) {
          yield piece.subarray(0, 700)
          throw failure
        }
      },
    ])
      try {
        await receive(zfs, copy, source(), { from: first.guid, to: second.guid })
        assert.unreachable()
      } catch (error) {
        assert.is(error, failure)
        assert.equal(guids(await listSnapshots(zfs, copy)), [first.guid])
      }
    // Nothing was changed by it: the step still fits.
    await receive(zfs, copy, step(), { from: first.guid, to: second.guid })
    assert.equal(guids(await listSnapshots(zfs, copy)), [first.guid, second.guid])
  })

  it('an abort ends both ends, and the source is told', async (world) => {
    const { zfs, parent } = world
    const { first } = await sample(world)
    const controller = new AbortController()
    const reason = new Error('shutting down')
    let told: unknown
    const source: Source = async function* (signal) {
      for await (const piece of send(zfs, first.name)) {
        yield piece.subarray(0, 500)
        break
      }
      setImmediate(() => controller.abort(reason))
      await new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => {
          told = signal.reason
          reject(signal.reason as Error)
        })
      })
    }
    try {
      await receive(zfs, childOf(parent, 'copy'), source, { to: first.guid, signal: controller.signal })
      assert.unreachable()
    } catch (error) {
      assert.is(error, reason)
    }
    assert.is(told, reason)
    assert.equal(await names(world), [`${parent}/source`])
    assert.equal(
      zfs.commands.load,
      Object.fromEntries(
        ['read', 'change', 'send', 'receive'].map((lane) => [lane, { running: 0, waiting: 0 }]),
      ),
    )
  })

  it('a send that is left early is over when it is left', async (world) => {
    const { zfs } = world
    const { second } = await sample(world)
    for await (const piece of send(zfs, second.name)) {
      assert.ok(piece.length > 0)
      break
    }
    assert.is(zfs.commands.load.send.running, 0)
    await rejects(gather(send(zfs, snapshotOf(childOf(world.parent, 'source'), 'none'))), 'dataset-missing')
    await rejects(
      gather(send(zfs, second.name, { from: snapshotOf(world.parent, 'other') })),
      'base-unrelated',
    )
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

  test.run()
}
