import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readCapabilities } from '../../../native/zfs/capabilities.ts'
import { create, inheritProperty, setProperties } from '../../../native/zfs/dataset.ts'
import { value } from '../../../native/zfs/get.ts'
import { childOf, datasetName, poolName } from '../../../native/zfs/names.ts'
import { poolCreate, poolState } from '../../../native/zfs/pool.ts'
import { poolCheck } from '../../../native/zfs/pool-check.ts'
import { poolImport } from '../../../native/zfs/pool-import.ts'
import { type PoolWishes, wantedProperties } from '../../../native/zfs/wanted.ts'
import { codeOf, type TidepoolError } from '../../../pipeline/base/errors.ts'
import { rejects } from '../../contracts/zfs-world.ts'
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

test('records above 128 KiB are refused, and a sync that this ZFS has not', () => {
  const capabilities = readCapabilities(recordings('zfs-2.3.2').usage)
  const code = (wishes: PoolWishes, of = capabilities) => {
    try {
      wantedProperties(of, wishes)
      return undefined
    } catch (error) {
      return codeOf(error)
    }
  }
  for (const recordBytes of [0, 100, 3000, 2 ** 18, Number.NaN]) assert.is(code({ recordBytes }), 'bad-value')
  for (const recordBytes of [512, 2 ** 17]) assert.is(code({ recordBytes }), undefined)
  const fuse = readCapabilities({ ...recordings('zfs-fuse-0.7.0').usage, version: undefined })
  assert.is(code({ sync: 'disabled' }), undefined)
  assert.is(code({ sync: 'disabled' }, fuse), 'not-supported')
  assert.is(code({ sync: 'standard' }, fuse), undefined)
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
    const make = (more: { device?: string; fileBytes?: bigint; ashift?: number; parent?: string } = {}) =>
      poolCreate(zfs, { pool: poolName('new'), device, fileBytes, parent: 'p', ...more })
    await rejects(make({ device: 'relative.img' }), 'bad-value')
    for (const ashift of [3, 12.5, 17]) await rejects(make({ ashift }), 'bad-value')
    await rejects(make({ parent: 'a/b' }), 'bad-name')
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
        const made = (await calls()).filter((line) => /^zpool (import|export)/.test(line))
        assert.equal(
          made,
          flavour === 'openzfs'
            ? ['zpool import -N -d /dev tank']
            : [
                'zpool import -d /dev -R /proc/tidepool-nowhere tank',
                'zpool export tank',
                'zpool import -d /dev tank',
              ],
        )
        assert.equal((await poolCheck(zfs, tank, parent)).differences, [])
        await rejects(poolImport(zfs, poolName('none')), 'pool-missing')
      },
      { flavour },
    ))

test('what mounts by itself is not mounted: by -N, and else the pool is not imported', async () => {
  for (const flavour of ['openzfs', 'zfs-fuse'] as const)
    await withFakeZfs(
      async ({ zfs, parent, mounts }) => {
        const tank = poolName('tank')
        const by = childOf(parent, 'by-itself')
        await create(zfs, by, { canmount: 'on', mountpoint: mounts })
        await create(zfs, childOf(parent, 'no'), { canmount: 'on', mountpoint: 'none' })
        await zfs.commands.change('zpool', ['export', tank])
        const importing = poolImport(zfs, tank)
        if (flavour === 'openzfs') assert.is(await importing, true)
        else {
          const error = await rejects(importing, 'pool-would-mount')
          assert.is(
            error.message,
            `importing tank would mount ${by} at ${mounts}: this ZFS can't import without mounting`,
          )
          await rejects(poolState(zfs, tank), 'pool-missing')
          // As its hint says.
          for (const line of (error as TidepoolError).hint?.split(': ')[1]?.split('; ') ?? []) {
            const [program, ...args] = line.split(' ')
            await zfs.commands.change(program as 'zfs', args).catch((left: unknown) => {
              assert.match(String(left), /failed to create mountpoint/)
            })
          }
          assert.is(await poolImport(zfs, tank), true)
          assert.is(await value(zfs, by, 'canmount'), 'noauto')
        }
        assert.is((await poolState(zfs, tank)).altroot, undefined)
        assert.not.ok(existsSync(mounts))
      },
      { flavour },
    )
})

test('a look that was killed is no import: the next one ends it', () =>
  withFakeZfs(
    async ({ zfs, faults }) => {
      const tank = poolName('tank')
      await zfs.commands.change('zpool', ['export', tank])
      await faults({ match: '^zpool export', action: 'die' })
      await rejects(poolImport(zfs, tank), 'zfs-failed')
      assert.is((await poolState(zfs, tank)).altroot, '/proc/tidepool-nowhere')
      assert.is(await poolImport(zfs, tank), true)
      assert.is((await poolState(zfs, tank)).altroot, undefined)
    },
    { flavour: 'zfs-fuse' },
  ))

test('a pool that another host used last is not forced: it is said whose it is', async () => {
  for (const flavour of ['openzfs', 'zfs-fuse'] as const)
    await withFakeZfs(
      async ({ zfs, state, calls }) => {
        const tank = poolName('tank')
        await zfs.commands.change('zpool', ['export', tank])
        const at = 'Fri Nov 27 16:02:14 2026'
        await state(({ exported }) => {
          if (exported.tank) exported.tank.usedBy = { host: 'blue reef', hostid: '7f0100', at }
        })
        await calls()
        const error = (await rejects(poolImport(zfs, tank), 'pool-elsewhere')) as TidepoolError
        assert.is(
          error.message,
          `pool tank was used last by host blue reef (hostid 7f0100) on ${at}, and was not exported there`,
        )
        const force = `zpool import ${flavour === 'openzfs' ? '-N ' : ''}-f tank`
        assert.ok(error.hint?.endsWith(force), error.hint)
        assert.equal(
          (await calls()).filter((line) => / -f/.test(line)),
          [],
        )
        await zfs.commands.change('zpool', force.split(' ').slice(1))
        assert.is(await poolImport(zfs, tank), false)
      },
      { flavour },
    )
})

test('xattr=sa is right also where it is shown as on, unless that is only the default', () =>
  withFakeZfs(async ({ zfs, parent }) => {
    const differences = async () =>
      (await poolCheck(zfs, poolName('tank'), parent)).differences.map(({ command }) => command)
    await setProperties(zfs, datasetName('tank'), { xattr: 'on' })
    assert.equal(await differences(), [])
    await inheritProperty(zfs, datasetName('tank'), 'xattr')
    assert.equal(await differences(), [`zfs set xattr=sa ${parent}`])
  }))

test('a pool that is ill, read-only, displaced or full says so, what is serious first', () =>
  withFakeZfs(async ({ zfs, parent, state }) => {
    const tank = poolName('tank')
    await zfs.commands.change('zpool', ['export', tank])
    await zfs.commands.change('zpool', ['import', '-N', '-R', '/elsewhere', tank])
    await state((known) => {
      known.full = true
      if (known.pools.tank) Object.assign(known.pools.tank, { health: 'DEGRADED', readonly: 'on' })
    })
    await setProperties(zfs, parent, { compression: 'off', readonly: 'on' })
    const { differences } = await poolCheck(zfs, tank, parent)
    const anew = 'zpool export tank && tidepool pool import tank'
    assert.equal(
      differences.map(({ what, found, serious, command }) => [what, found, serious, command]),
      [
        ['health', 'DEGRADED', true, 'zpool status -v tank'],
        ['pool', 'read-only', true, anew],
        ['altroot', '/elsewhere', true, anew],
        ['readonly', 'on', true, `zfs set readonly=off ${parent}`],
        ['capacity', '100%', false, 'zpool list tank'],
        ['compression', 'off', false, `zfs set compression=lz4 ${parent}`],
      ],
    )
  }))

test.run()
