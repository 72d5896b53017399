/** `pool create | check | import` on the ZFS of this machine and files of the tests' own. */
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { create, setProperties } from '../../native/zfs/dataset.ts'
import { exists, value } from '../../native/zfs/get.ts'
import { childOf, datasetName } from '../../native/zfs/names.ts'
import { fails, shell, succeeds, tidepool, withPlace } from '../support/pool-place.ts'

const test = suite('pool verbs, the real ZFS')

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

test.run()
