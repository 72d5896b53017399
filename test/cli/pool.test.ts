/** `pool create | check | import` on the fake ZFS: what they print, and how they end. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { setProperties } from '../../native/zfs/dataset.ts'
import { poolName } from '../../native/zfs/names.ts'
import { openZfs } from '../../native/zfs/zfs.ts'
import { tidepoolOn } from '../support/command.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

const test = suite('pool verbs')
const text = (stdout: Buffer) => stdout.toString().trimEnd().split('\n')

test('pool create: a new file of that size, and what was set', () =>
  withFakeZfs(async ({ zfs, directory }) => {
    const tidepool = tidepoolOn(zfs)
    const device = join(directory, 'new.img')
    const made = await tidepool(['pool', 'create', 'new', device, '--size', '64M', '--parent', 'homes'])
    assert.equal([made.code, made.stderr], [0, ''])
    assert.equal(text(made.stdout), [
      `made pool new on ${device}`,
      '  projects  below new/homes, each mounted only when it is opened',
      '  free      954 MiB',
      '  set       compression=lz4 atime=off recordsize=131072 setuid=off devices=off xattr=sa acltype=posix dnodesize=legacy sync=standard',
    ])
    assert.is((await tidepool(['pool', 'check', 'new/homes'])).code, 0)
    const again = await tidepool(['pool', 'create', 'new', join(directory, 'b.img'), '--size', '64M'])
    assert.is(again.code, 1)
    assert.match(again.stderr, /^tidepool: there is a pool new already\n {2}`tidepool pool check new` /)
    assert.not.ok(existsSync(join(directory, 'b.img')))
  }))

test('pool create: one object for machines; a sync that loses is warned of', () =>
  withFakeZfs(async ({ zfs, directory }) => {
    const tidepool = tidepoolOn(zfs)
    const device = join(directory, 'new.img')
    const argv = ['pool', 'create', 'new', device, '--size', '64M', '--json']
    const made = await tidepool([...argv, '--sync', 'disabled', '--recordsize', '64K', '--ashift', '13'])
    assert.is(made.code, 0, made.stderr)
    assert.match(JSON.parse(made.stderr).note, /^with sync=disabled a crash of this machine takes/)
    const [json = {}, ...others] = made.json
    assert.equal(others, [])
    assert.equal(
      { ...json, guid: 0 },
      {
        pool: 'new',
        guid: 0,
        device,
        parent: 'new/projects',
        ashift: 13,
        availableBytes: '1000000000',
        properties: {
          compression: 'lz4',
          atime: 'off',
          recordsize: '65536',
          setuid: 'off',
          devices: 'off',
          xattr: 'sa',
          acltype: 'posix',
          dnodesize: 'legacy',
          sync: 'disabled',
        },
      },
    )
    const check = await tidepool(['pool', 'check', 'new'])
    assert.is(check.code, 1)
    assert.match(
      check.stdout.toString(),
      /^sync is disabled, wanted is standard: .* \[serious\]\n {2}zfs set /m,
    )
    assert.is((await tidepool(['pool', 'check', 'new', '--sync', 'disabled'])).code, 0)
  }))

test('pool create: wrong values are wrong usage, and nothing is tried', () =>
  withFakeZfs(async ({ zfs, directory, calls }) => {
    const device = join(directory, 'new.img')
    for (const [name, ...more] of [
      ['9x'],
      ['mirror'],
      ['a/b'],
      ['new', '--size', '1X'],
      ['new', '--ashift', 'large'],
      ['new', '--ashift', '20'],
      ['new', '--recordsize', '1M'],
      ['new', '--sync', 'never'],
      ['new', '--parent', 'a/b'],
      ['new', '--parent', 'ä'],
    ] as const) {
      const { code, stderr } = await tidepoolOn(zfs)([
        'pool',
        'create',
        name,
        device,
        '--size',
        '64M',
        ...more,
      ])
      assert.is(code, 2, stderr)
      assert.match(stderr, /^tidepool: .+\n {2}.+\n$/)
    }
    assert.equal(
      (await calls()).filter((line) => line.startsWith('zpool create')),
      [],
    )
    assert.not.ok(existsSync(device))
  }))

test('pool create: a device that can not be used says why, and what to do', () =>
  withFakeZfs(async ({ zfs, directory }) => {
    const at = (name: string) => join(directory, name)
    for (const [device, why, ...more] of [
      [at('none'), 'there is no '],
      [directory, ' is a directory, not a disk or partition'],
      [at('tank.img'), ' is a file that exists: no pool is made on it'],
      [at('tank.img'), ' exists: no pool is made on it', '--size', '64M'],
      [at('small.img'), 'a pool needs 64.0 MiB, not 1.0 MiB', '--size', '1M'],
      [at('no/such.img'), 'there is no ', '--size', '64M'],
    ] as const) {
      const { code, stderr } = await tidepoolOn(zfs)(['pool', 'create', 'new', device, ...more])
      assert.is(code, 1)
      assert.ok(stderr.includes(why), stderr)
      assert.match(stderr, /^tidepool: .+\n {2}.+\n$/)
    }
  }))

test('pool check: what differs, with the command that mends it; that mended, all is as wanted', () =>
  withFakeZfs(async ({ zfs, parent }) => {
    const tidepool = tidepoolOn(zfs)
    await setProperties(zfs, parent, { atime: 'on', setuid: 'on' })
    const found = await tidepool(['pool', 'check', 'tank'])
    assert.is(found.code, 1)
    assert.equal(text(found.stdout), [
      'pool      tank, ONLINE',
      'zfs       OpenZFS 2.1.11-1+deb12u1',
      'space     0 B used (1%), 954 MiB free',
      'projects  below tank/projects',
      '',
      'setuid is on, wanted is off: what users bring must give nobody rights [serious]',
      '  zfs set setuid=off tank/projects',
      'atime is on, wanted is off: reading a file would make the project look changed',
      '  zfs set atime=off tank/projects',
      '2 differences',
    ])
    const [json = {}] = (await tidepool(['pool', 'check', 'tank', '--json'])).json
    for (const { command } of json.differences as { command: string }[])
      await zfs.commands.change('zfs', command.split(' ').slice(1))
    const mended = await tidepool(['pool', 'check', 'tank'])
    assert.equal([mended.code, text(mended.stdout).at(-1)], [0, 'all is as wanted'])
  }))

test('pool check: a pool that is not there, and a name that is none', () =>
  withFakeZfs(async ({ zfs }) => {
    const missing = await tidepoolOn(zfs)(['pool', 'check', 'lake'])
    assert.is(missing.code, 1)
    assert.match(missing.stderr, /^tidepool: no pool lake is imported here\n.*`tidepool pool import lake`/)
    for (const name of ['lake/', '/lake', 'la ke', 'lake/a@b', 'lake//a'])
      assert.is((await tidepoolOn(zfs)(['pool', 'check', name])).code, 2, name)
  }))

test('pool import: once, and again without harm', () =>
  withFakeZfs(async ({ zfs }) => {
    const tidepool = tidepoolOn(zfs)
    await zfs.commands.change('zpool', ['export', poolName('tank')])
    const first = await tidepool(['pool', 'import', 'tank'])
    assert.equal([first.code, text(first.stdout)], [0, ['imported pool tank: ONLINE, 954 MiB free']])
    const again = await tidepool(['pool', 'import', 'tank'])
    assert.equal(
      [again.code, text(again.stdout)],
      [0, ['pool tank was imported already: ONLINE, 954 MiB free']],
    )
    assert.equal(
      (await tidepool(['pool', 'import', 'tank', '--json'])).json.map(({ pool, imported }) => [
        pool,
        imported,
      ]),
      [['tank', false]],
    )
    const missing = await tidepool(['pool', 'import', 'lake', '--directory', '/var/tmp/'])
    assert.is(missing.code, 1)
    assert.match(
      missing.stderr,
      /^tidepool: no pool lake is found in \/var\/tmp\n {2}`zpool import -d \/var\/tmp` lists/,
    )
  }))

test('no ZFS, and none for this user: it is said what to do', () =>
  withFakeZfs(async ({ settings, faults }) => {
    const command = (zfs: string) =>
      tidepoolOn(() => openZfs({ ...settings, zfs }))(['pool', 'check', 'tank'])
    const none = await command('/nowhere/zfs')
    assert.is(none.code, 1)
    assert.match(
      none.stderr,
      /^tidepool: zfs: there is no \/nowhere\/zfs\n {2}Install zfsutils-linux or zfs-fuse\./,
    )
    const stderr = 'connect: Permission denied\ninternal error: failed to initialize ZFS library'
    await faults({ match: '^zpool list', action: 'fail', stderr })
    const refused = await command(settings.zfs ?? 'zfs')
    assert.is(refused.code, 1)
    assert.match(refused.stderr, /\n {2}Run it as root\.\n$/)
  }))

test.run()
