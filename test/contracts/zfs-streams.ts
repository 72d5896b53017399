import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { destroyDataset, setProperties } from '../../native/zfs/dataset.ts'
import { value } from '../../native/zfs/get.ts'
import { dataset, listSnapshots } from '../../native/zfs/list.ts'
import { mount, unmount } from '../../native/zfs/mount.ts'
import { childOf, snapshotOf } from '../../native/zfs/names.ts'
import { receive, type Source } from '../../native/zfs/receive.ts'
import { send } from '../../native/zfs/send.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { contents, gather, guids, names, type Promised, rejects, sample } from './zfs-world.ts'

export function streamContract(it: Promised): void {
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
}
