import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { create, destroyDataset, setProperties, snapshot } from '../../../native/zfs/dataset.ts'
import { value } from '../../../native/zfs/get.ts'
import { listDatasets } from '../../../native/zfs/list.ts'
import { mount, unmount } from '../../../native/zfs/mount.ts'
import { childOf, snapshotOf } from '../../../native/zfs/names.ts'
import { receive } from '../../../native/zfs/receive.ts'
import { send } from '../../../native/zfs/send.ts'
import type { TidepoolError } from '../../../pipeline/base/errors.ts'
import { gather, rejects } from '../../contracts/zfs-world.ts'
import { withPool } from '../../support/zfs-pool.ts'

const test = suite('zfs, the real one')

test('a mount that somebody is in stays, and who it is is said', () =>
  withPool(async ({ zfs, parent, mounts }) => {
    const a = childOf(parent, 'a b')
    await create(zfs, a, { mountpoint: join(mounts, 'a b') })
    const path = await mount(zfs, a)
    const child = spawn('sh', ['-c', 'echo ready; read -r _'], {
      cwd: path,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    await once(child.stdout, 'data')
    const error = (await rejects(unmount(zfs, a), 'dataset-busy')) as TidepoolError
    assert.match(error.message, new RegExp(`sh \\(${child.pid}\\)`))
    assert.is(await mount(zfs, a), path)
    child.stdin.end()
    await once(child, 'close')
    assert.is(await unmount(zfs, a), true)
    assert.is(await destroyDataset(zfs, a), true)
  }))

test('what another uid writes there is its own', () =>
  withPool(async ({ zfs, parent, mounts }) => {
    const a = childOf(parent, 'a')
    await create(zfs, a, { mountpoint: join(mounts, 'a') })
    const path = await mount(zfs, a)
    const script = `chown 1234:1234 . && chmod 700 . && setpriv --reuid 1234 --regid 1234 --clear-groups sh -c 'echo mine > f && cat f && stat -c %u:%g f'`
    const child = spawn('sh', ['-c', script], { cwd: path, stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const [code] = await once(child, 'close')
    assert.equal([code, said], [0, 'mine\n1234:1234\n'])
    await unmount(zfs, a)
  }))

test('a quota below what is used is refused, and one above it is kept', () =>
  withPool(async ({ zfs, parent, mounts }) => {
    const a = childOf(parent, 'a')
    await create(zfs, a, { mountpoint: join(mounts, 'a') })
    const path = await mount(zfs, a)
    await writeFile(join(path, 'f'), randomBytes(4_000_000))
    await snapshot(zfs, snapshotOf(a, 's'))
    await rejects(setProperties(zfs, a, { refquota: '1000000' }), 'quota-impossible')
    await setProperties(zfs, a, { refquota: '8000000' })
    assert.is(await value(zfs, a, 'refquota'), '8000000')
    await unmount(zfs, a)
  }))

test('of a stream that the pool has no room for nothing is left', () =>
  withPool(async (large) =>
    withPool(
      async (small) => {
        const source = childOf(large.parent, 'a')
        await create(large.zfs, source, { mountpoint: join(large.mounts, 'a') })
        const path = await mount(large.zfs, source)
        for (let n = 0; n < 10; n++) await writeFile(join(path, `f${n}`), randomBytes(10_000_000))
        const made = await snapshot(large.zfs, snapshotOf(source, 's'))
        const target = childOf(small.parent, 'copy')
        const fed = (signal: AbortSignal) => send(large.zfs, made.name, { signal })
        await rejects(receive(small.zfs, target, fed, { to: made.guid }), 'out-of-space')
        assert.equal(await gather(listDatasets(small.zfs, small.parent)), [])
        assert.is(large.zfs.commands.load.send.running, 0)
        await unmount(large.zfs, source)
      },
      { fileBytes: 2n ** 26n },
    ),
  ))

test.run()
