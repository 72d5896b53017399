import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readCapabilities } from '../../../native/zfs/capabilities.ts'
import { poolName } from '../../../native/zfs/names.ts'
import { poolCreate, poolImport, poolState } from '../../../native/zfs/pool.ts'
import { poolCheck } from '../../../native/zfs/pool-check.ts'
import { wantedProperties } from '../../../native/zfs/wanted.ts'
import { rejects } from '../../contracts/zfs.ts'
import { withFakeZfs } from '../../support/fake-zfs.ts'
import { recordings } from '../../support/zfs-recordings.ts'

const test = suite('zfs pool')
const fileBytes = 2n ** 26n

test('only what this ZFS knows is asked of it', () => {
  const wanted = (version: 'zfs-fuse-0.7.0' | 'zfs-2.3.2') => {
    const { usage } = recordings(version)
    const texts = version === 'zfs-2.3.2' ? usage : { ...usage, version: undefined }
    return wantedProperties(readCapabilities(texts)).map(({ name, value }) => `${name}=${value}`)
  }
  const common = ['atime=off', 'recordsize=131072', 'setuid=off', 'devices=off']
  assert.equal(wanted('zfs-fuse-0.7.0'), ['compression=on', ...common])
  assert.equal(wanted('zfs-2.3.2'), [
    'compression=lz4',
    ...common,
    'xattr=sa',
    'acltype=posix',
    'dnodesize=legacy',
    'sync=standard',
  ])
})

test('records above 128 KiB are refused', () => {
  const capabilities = readCapabilities(recordings('zfs-2.3.2').usage)
  for (const recordBytes of [0, 100, 3000, 2 ** 18])
    assert.throws(() => wantedProperties(capabilities, { recordBytes }), /record size/)
})

test('a pool is made with one command and never by force', () =>
  withFakeZfs(async ({ zfs, directory, calls }) => {
    const device = join(directory, 'new.img')
    const parent = await poolCreate(zfs, {
      pool: poolName('new'),
      device,
      fileBytes,
      parent: 'p',
      ashift: 13,
    })
    assert.is(parent, 'new/p')
    const [made = '', ...others] = (await calls()).filter((line) => line.startsWith('zpool create'))
    assert.match(
      made,
      /^zpool create -o ashift=13 -O canmount=off -O mountpoint=none -O compression=lz4 .* new \S+new\.img$/,
    )
    assert.not.match(made, / -f/)
    assert.equal(others, [])
  }))

test('of a pool that cannot be made nothing is left', () =>
  withFakeZfs(async ({ zfs, directory, faults }) => {
    const device = join(directory, 'new.img')
    const make = (more: { device?: string; fileBytes?: bigint; ashift?: number } = {}) =>
      poolCreate(zfs, { pool: poolName('new'), device, fileBytes, parent: 'p', ...more })
    await rejects(make({ device: 'relative.img' }), 'bad-value')
    await rejects(make({ ashift: 3 }), 'bad-value')
    await rejects(make({ fileBytes: 1000n }), 'device-too-small')
    await faults({ match: '^zfs create', action: 'fail', stderr: "cannot create 'new/p': out of space" })
    await rejects(make(), 'out-of-space')
    assert.not.ok(existsSync(device))
    await rejects(poolState(zfs, poolName('new')), 'pool-missing')
    await writeFile(device, 'precious')
    await rejects(make(), 'device-in-use')
    assert.ok(existsSync(device))
  }))

test('a pool whose making was cut off keeps its file where it is there, and loses it where it is not', () =>
  withFakeZfs(async ({ zfs, directory, faults }) => {
    const device = join(directory, 'new.img')
    const make = () => poolCreate(zfs, { pool: poolName('new'), device, fileBytes, parent: 'p' })
    await faults({ match: '^zpool create', action: 'die' })
    await rejects(make(), 'zfs-failed')
    assert.not.ok(existsSync(device))
    await faults({ match: '^zpool create', action: 'die-after' })
    await rejects(make(), 'zfs-failed')
    assert.ok(existsSync(device))
    assert.is((await poolState(zfs, poolName('new'))).health, 'ONLINE')
  }))

test('a device of another pool is left alone', () =>
  withFakeZfs(async ({ zfs, directory }) => {
    const device = join(directory, 'tank.img')
    await rejects(poolCreate(zfs, { pool: poolName('other'), device, parent: 'p' }), 'device-in-use')
    assert.ok(existsSync(device))
  }))

for (const flavour of ['openzfs', 'zfs-fuse'] as const)
  test(`an import mounts nothing (${flavour})`, () =>
    withFakeZfs(
      async ({ zfs, calls, parent }) => {
        const tank = poolName('tank')
        assert.is(await poolImport(zfs, tank), false)
        await zfs.commands.change('zpool', ['export', tank])
        await rejects(poolState(zfs, tank), 'pool-missing')
        await calls()
        assert.is(await poolImport(zfs, tank, { directory: '/dev' }), true)
        const [made] = (await calls()).filter((line) => line.startsWith('zpool import'))
        assert.is(made, `zpool import${flavour === 'openzfs' ? ' -N' : ''} -d /dev tank`)
        assert.equal(await poolCheck(zfs, tank, parent), [])
        await rejects(poolImport(zfs, poolName('none')), 'pool-missing')
      },
      { flavour },
    ))

test('a pool that is ill or full says so', () =>
  withFakeZfs(async ({ zfs, parent, state }) => {
    await state((known) => {
      known.full = true
      if (known.pools.tank) known.pools.tank.health = 'DEGRADED'
    })
    const found = await poolCheck(zfs, poolName('tank'), parent)
    assert.equal(
      found.map(({ what, found: is, serious }) => [what, is, serious]),
      [
        ['health', 'DEGRADED', true],
        ['capacity', '100%', false],
      ],
    )
  }))

test.run()
