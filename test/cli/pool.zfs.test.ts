/** `pool create | check | import` as real processes, on the ZFS of this machine and files of the tests' own. */
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { whileBusy } from '../../native/zfs/busy.ts'
import { create, setProperties } from '../../native/zfs/dataset.ts'
import { exists, value } from '../../native/zfs/get.ts'
import { childOf, type DatasetName, datasetName, type PoolName, poolName } from '../../native/zfs/names.ts'
import { openZfs, type Zfs } from '../../native/zfs/zfs.ts'
import { type Ended, runTidepool } from '../support/command-child.ts'

const test = suite('pool verbs, the real ZFS')
const run = promisify(execFile)
let made = 0

interface World {
  readonly zfs: Zfs
  readonly directory: string
  readonly pool: PoolName
  readonly parent: DatasetName
  readonly file: string
}

/** A name and a place for a pool; what was made there is gone afterwards. */
async function withPlace(body: (world: World) => Promise<void>): Promise<void> {
  const directory = await mkdtemp('/var/tmp/tidepool-test-pool-')
  const zfs = await openZfs()
  made += 1
  const pool = poolName(`tidepool-test-${process.pid}-verb${made}`)
  const root = datasetName(pool)
  try {
    await body({ zfs, directory, pool, parent: childOf(root, 'projects'), file: join(directory, 'pool.img') })
  } finally {
    if (await exists(zfs, root))
      await whileBusy(zfs, root, () => zfs.commands.change('zpool', ['destroy', '-f', pool]))
    await rm(directory, { recursive: true, force: true })
  }
}

async function tidepool(...args: string[]): Promise<Ended & { readonly said: string }> {
  const ended = await runTidepool(args)
  return { ...ended, said: `${ended.stdout}${ended.stderr}` }
}

async function succeeds(...args: string[]): Promise<string> {
  const { code, said } = await tidepool(...args)
  assert.is(code, 0, said)
  return said
}

async function fails(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tidepool(...args)
  assert.equal([code, String(stdout)], [1, ''], stderr)
  assert.match(stderr, /^tidepool: .+\n {2}.+\n$/)
  return stderr
}

const shell = (line: string) => run('sh', ['-c', line])

test('a pool is made, looked at, mended as it says, and never made twice', () =>
  withPlace(async ({ zfs, directory, pool, parent, file }) => {
    const said = await succeeds('pool', 'create', pool, file, '--size', '128M')
    assert.ok(said.startsWith(`made pool ${pool} on ${file}\n`), said)
    assert.equal(
      [await value(zfs, parent, 'setuid'), await value(zfs, parent, 'mountpoint')],
      ['off', 'none'],
    )
    assert.match(await succeeds('pool', 'check', pool), /\nall is as wanted\n$/)
    assert.match(await fails('pool', 'create', pool, join(directory, 'b.img'), '--size', '128M'), /already/)
    assert.match(await fails('pool', 'create', `${pool}b`, file), /is a file that exists/)
    await setProperties(zfs, parent, { atime: 'on', devices: 'on' })
    const { code, stdout } = await tidepool('--json', 'pool', 'check', pool)
    assert.is(code, 1)
    const { differences } = JSON.parse(String(stdout)) as { differences: { what: string; command: string }[] }
    assert.equal(
      differences.map(({ what }) => what),
      ['devices', 'atime'],
    )
    for (const { command } of differences) await shell(command)
    assert.match(await succeeds('pool', 'check', pool), /\nall is as wanted\n$/)
    const other = await tidepool('pool', 'check', `${pool}/homes`)
    assert.is(other.code, 1)
    await shell(/^ {2}(zfs create .*)$/m.exec(other.said)?.[1] ?? 'false')
    assert.match(await succeeds('pool', 'check', `${pool}/homes`), /\nall is as wanted\n$/)
  }))

test('an import mounts nothing, also where a dataset would mount by itself', () =>
  withPlace(async ({ zfs, directory, pool, parent, file }) => {
    await succeeds('pool', 'create', pool, file, '--size', '128M')
    const by = childOf(parent, 'by-itself')
    await create(zfs, by, { canmount: 'on', mountpoint: join(directory, 'mnt') })
    await zfs.commands.change('zfs', ['unmount', by]).catch(() => {})
    await zfs.commands.change('zpool', ['export', pool])
    assert.match(await fails('pool', 'import', pool), /is found in \/dev\n/)
    const argv = ['pool', 'import', pool, '--directory', directory]
    if (!zfs.capabilities.importUnmounted) {
      const said = await fails(...argv)
      assert.ok(said.includes(`would mount ${by} at ${join(directory, 'mnt')}: `), said)
      assert.is(await exists(zfs, datasetName(pool)), false)
      await shell(/again: (.*)$/m.exec(said)?.[1] ?? 'false')
    }
    assert.ok((await succeeds(...argv)).startsWith(`imported pool ${pool}: ONLINE`))
    assert.ok((await succeeds(...argv)).startsWith(`pool ${pool} was imported already: ONLINE`))
    const mounted = (await readMounts()).filter(({ source }) => source.startsWith(pool))
    assert.equal(mounted, [])
    assert.match(await succeeds('pool', 'check', pool), /\nall is as wanted\n$/)
  }))

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
