import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { create, snapshot } from '../../../native/zfs/dataset.ts'
import { exists } from '../../../native/zfs/get.ts'
import { mount, unmount } from '../../../native/zfs/mount.ts'
import { childOf, snapshotOf } from '../../../native/zfs/names.ts'
import { receive } from '../../../native/zfs/receive.ts'
import { send } from '../../../native/zfs/send.ts'
import { withPool } from '../../support/zfs-pool.ts'

const test = suite('zfs, killed')
const receiver = fileURLToPath(new URL('../../support/zfs-receiver.ts', import.meta.url))

test('of a receive whose process is killed nothing is left, and it can be done again', () =>
  withPool(async ({ zfs, parent, mounts, directory }) => {
    const source = childOf(parent, 'source')
    await create(zfs, source, { mountpoint: join(mounts, 'source') })
    const path = await mount(zfs, source)
    await writeFile(join(path, 'f'), Buffer.alloc(4_000_000, 'not all the same, '))
    const made = await snapshot(zfs, snapshotOf(source, 's'))
    await unmount(zfs, source)
    const stream = join(directory, 'stream')
    await pipeline(send(zfs, made.name), createWriteStream(stream))

    const target = childOf(parent, 'target')
    const args = ['--import', import.meta.resolve('tsx'), receiver, stream, target, made.guid]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    for (let taken = 0; taken < 500_000; ) {
      const [said] = await once(child.stdout, 'data')
      taken = Number(String(said).trim().split('\n').at(-1))
    }
    child.kill('SIGKILL')
    await once(child, 'exit')
    const deadline = performance.now() + 20_000
    while (await exists(zfs, target)) {
      assert.ok(performance.now() < deadline, 'it is left')
      await sleep(50)
    }
    const got = await receive(zfs, target, send(zfs, made.name), { to: made.guid })
    assert.is(got.guid, made.guid)
  }))

test.run()
