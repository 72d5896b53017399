import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { create, destroyDataset, destroySnapshot, hold, rename } from '../../../native/zfs/dataset.ts'
import { childOf } from '../../../native/zfs/names.ts'
import { rejects, sample } from '../../contracts/zfs-world.ts'
import { withFakeZfs } from '../../support/fake-zfs.ts'

const test = suite('zfs busy')
const busy = (match: string, times: number) =>
  ({ match, times, action: 'fail', stderr: "cannot destroy 'x': dataset is busy" }) as const

test('what is called busy without a reason is tried again', () =>
  withFakeZfs(async ({ zfs, parent, faults, calls }) => {
    const a = childOf(parent, 'a')
    await create(zfs, a)
    await faults(busy('^zfs (destroy|rename)', 3))
    await rename(zfs, a, childOf(parent, 'b'))
    await faults(busy('^zfs destroy', 2))
    await calls()
    assert.is(await destroyDataset(zfs, childOf(parent, 'b')), true)
    assert.is((await calls()).filter((line) => line.startsWith('zfs destroy')).length, 3)
  }))

test('for a while only', () =>
  withFakeZfs(
    async ({ zfs, parent, faults }) => {
      const a = childOf(parent, 'a')
      await create(zfs, a)
      await faults(busy('^zfs destroy', 1000))
      await rejects(destroyDataset(zfs, a), 'dataset-busy')
    },
    { busyLimitMs: 300 },
  ))

test('not where a hold is the reason', () =>
  withFakeZfs(async (world) => {
    const { first } = await sample(world)
    await hold(world.zfs, 'mine', first.name)
    await world.calls()
    await rejects(destroySnapshot(world.zfs, first.name, first.guid), 'snapshot-held')
    assert.is((await world.calls()).filter((line) => line.startsWith('zfs destroy')).length, 1)
  }))

test('an abort ends the waiting', () =>
  withFakeZfs(
    async ({ zfs, parent, faults }) => {
      const a = childOf(parent, 'a')
      await create(zfs, a)
      await faults(busy('^zfs destroy', 1000))
      const controller = new AbortController()
      const reason = new Error('over')
      setTimeout(() => controller.abort(reason), 200)
      try {
        await destroyDataset(zfs, a, { signal: controller.signal })
        assert.unreachable()
      } catch (error) {
        assert.is(error, reason)
      }
    },
    { busyLimitMs: 60_000 },
  ))

test.run()
