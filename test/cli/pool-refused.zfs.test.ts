/** What `pool create` and `pool import` leave alone: pools of other hosts, devices that something is on. */
import { copyFile, mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { exists } from '../../native/zfs/get.ts'
import { datasetName } from '../../native/zfs/names.ts'
import { fails, run, shell, succeeds, withPlace } from '../support/pool-place.ts'

const test = suite('pool verbs, what they refuse')

test('a pool that was not exported where it was used last is left alone, and it is said whose it is', () =>
  withPlace(async ({ zfs, directory, pool, file }) => {
    await succeeds('pool', 'create', pool, file, '--size', '128M')
    // As its disk would look to another machine while this one has it.
    const copy = join(directory, 'copy', 'pool.img')
    await mkdir(join(directory, 'copy'))
    await shell('sync')
    await copyFile(file, copy)
    await zfs.commands.change('zpool', ['destroy', pool])
    await rename(file, join(directory, 'gone.img'))
    const argv = ['pool', 'import', pool, '--directory', join(directory, 'copy')]
    const main = new URL('../support/tidepool.ts', import.meta.url).pathname
    // A host is known by what is in /etc/hostid: another one is in an /etc of this process's own.
    const script = `cp -a /etc ${directory}/etc && printf other >${directory}/etc/hostid &&
      mount --bind ${directory}/etc /etc && exec "$@"`
    const { code, stderr } = await run('unshare', [
      ...['--mount', 'sh', '-c', script, 'sh'],
      ...[process.execPath, '--import', import.meta.resolve('tsx'), main, ...argv],
    ]).then(
      () => ({ code: 0, stderr: '' }),
      (error: { code: number; stderr: string }) => error,
    )
    assert.is(code, 1, stderr)
    assert.match(
      stderr,
      /^tidepool: pool \S+ was used last by host .+ \(hostid [0-9a-f]+\) on .+, and was not exported there\n/,
    )
    assert.ok(stderr.includes(` -f ${pool}\n`), stderr)
    assert.is(await exists(zfs, datasetName(pool)), false)
    // The host that used it last may.
    await succeeds(...argv)
  }))

test('a device with something on it, or in use, stays as it is; an empty one becomes a pool', () =>
  withPlace(async ({ directory, pool }) => {
    const backing = join(directory, 'disk.img')
    await shell(`truncate -s 128M ${backing}`)
    const losetup = await shell(`losetup --find --show ${backing}`).catch(() => undefined)
    if (losetup === undefined) return // no right to make a device here
    const device = losetup.stdout.trim()
    try {
      const write = async (bytes: Buffer, at: number) => {
        const disk = await open(device, 'r+')
        await disk.write(bytes, 0, bytes.length, at)
        await disk.close()
      }
      await write(Buffer.from('53ef', 'hex'), 1080)
      assert.match(
        await fails('pool', 'create', pool, device),
        / has an ext file system on it: .*\n.*`wipefs --all/,
      )
      await write(Buffer.alloc(2), 1080)
      await shell(`mkswap ${device} && swapon ${device}`)
      try {
        assert.match(await fails('pool', 'create', pool, device), / is in use: .*\n.*`lsblk/)
      } finally {
        await shell(`swapoff ${device}`)
      }
      assert.match(await fails('pool', 'create', pool, device), / has swap space on it: /)
      await shell(`wipefs --all ${device}`)
      await succeeds('pool', 'create', pool, device)
      assert.match(await fails('pool', 'create', `${pool}b`, device), /in use|part of active pool/)
      await shell(`zpool destroy ${pool}`)
    } finally {
      await shell(`losetup --detach ${device}`)
    }
  }))

test.run()
