import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { listSnapshots } from '../../../native/zfs/list.ts'
import { childOf } from '../../../native/zfs/names.ts'
import { receive } from '../../../native/zfs/receive.ts'
import { send } from '../../../native/zfs/send.ts'
import { rejects, sample } from '../../contracts/zfs-world.ts'
import { withFakeZfs } from '../../support/fake-zfs.ts'

const test = suite('zfs receive')

test('never with -F, always with -u', () =>
  withFakeZfs(async (world) => {
    const { first } = await sample(world)
    await receive(world.zfs, childOf(world.parent, 'copy'), send(world.zfs, first.name), {
      to: first.guid,
      tag: 'x',
    })
    const calls = (await world.calls()).filter((line) => line.startsWith('zfs receive'))
    assert.equal(calls, [`zfs receive -u -o canmount=noauto ${world.parent}/copy@x`])
  }))

test('what zfs says when it stops early is the error, and a waiting source is told', () =>
  withFakeZfs(async (world) => {
    const { first } = await sample(world)
    const target = childOf(world.parent, 'copy')
    await world.faults({
      match: '^zfs receive',
      action: 'fail',
      stderr: 'cannot receive new filesystem stream: out of space',
    })
    let told = false
    const source = async function* (signal: AbortSignal) {
      yield Buffer.alloc(100)
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
      ).finally(() => {
        told = true
      })
    }
    await rejects(receive(world.zfs, target, source, { to: first.guid }), 'out-of-space')
    assert.ok(told)
  }))

test('a receive that takes nothing any more is ended', () =>
  withFakeZfs(
    async (world) => {
      const { first } = await sample(world)
      await world.faults({ match: '^zfs receive', action: 'hang' })
      const much = async function* () {
        for (;;) yield Buffer.alloc(1 << 20)
      }
      await rejects(
        receive(world.zfs, childOf(world.parent, 'copy'), much(), { to: first.guid }),
        'zfs-timeout',
      )
    },
    { silenceLimitMs: 500 },
  ))

test('a source may take longer than zfs may', () =>
  withFakeZfs(
    async (world) => {
      const { first } = await sample(world)
      const slow = async function* () {
        for await (const piece of send(world.zfs, first.name)) {
          await sleep(150)
          yield piece
        }
        await sleep(700)
      }
      const got = await receive(world.zfs, childOf(world.parent, 'copy'), slow(), { to: first.guid })
      assert.is(got.guid, first.guid)
    },
    { silenceLimitMs: 600 },
  ))

test('killed after the deed: what it received is taken back, since nobody said that it is whole', () =>
  withFakeZfs(async (world) => {
    const { first, second } = await sample(world)
    const target = childOf(world.parent, 'copy')
    await world.faults({ match: '^zfs receive', action: 'die-after' })
    await rejects(receive(world.zfs, target, send(world.zfs, first.name), { to: first.guid }), 'zfs-failed')
    await rejects(listSnapshots(world.zfs, target), 'dataset-missing')
    await receive(world.zfs, target, send(world.zfs, first.name), { to: first.guid })
    await world.faults({ match: '^zfs receive', action: 'die-after' })
    const step = () => send(world.zfs, second.name, { from: first.name })
    await rejects(receive(world.zfs, target, step(), { from: first.guid, to: second.guid }), 'zfs-failed')
    assert.equal(
      (await listSnapshots(world.zfs, target)).map(({ guid }) => guid),
      [first.guid],
    )
  }))

test('two streams in one are refused', () =>
  withFakeZfs(async (world) => {
    const { first } = await sample(world)
    const target = childOf(world.parent, 'copy')
    const twice = async function* () {
      yield* send(world.zfs, first.name)
      for (let n = 0; n < 20; n++) {
        yield Buffer.alloc(1 << 18)
        await sleep(20)
      }
    }
    await rejects(receive(world.zfs, target, twice(), { to: first.guid }), 'stream-trailing')
    await rejects(listSnapshots(world.zfs, target), 'dataset-missing')
  }))

test.run()
