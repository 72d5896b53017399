/** `sync` is as the configuration has it, from the daemon's start on. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openLog } from '../../daemon/log/log.ts'
import { applySync, type Sync } from '../../daemon/projects/sync.ts'
import { value } from '../../native/zfs/get.ts'
import { withDaemon } from '../support/daemon.ts'
import { type FakeZfs, withFakeZfs } from '../support/fake-zfs.ts'

const test = suite('projects: sync')

function kept() {
  const lines: { level: string; msg: string }[] = []
  const log = openLog({ level: 'info', write: (line) => lines.push(JSON.parse(line)) })
  return { log, said: () => lines.splice(0).map(({ level, msg }) => `${level} ${msg}`) }
}

const isNow = ({ zfs, parent }: FakeZfs) => value(zfs, parent, 'sync')

test('it is set where it differs and left alone where not; disabled warns each time', () =>
  withFakeZfs(async (fake) => {
    const { log, said } = kept()
    const apply = async (wanted: Sync) => {
      await fake.calls()
      await applySync(fake, wanted, log)
      return (await fake.calls()).filter((line) => line.startsWith('zfs set')).length
    }
    assert.is(await apply('standard'), 0)
    assert.equal(said(), [])
    assert.is(await apply('disabled'), 1)
    assert.is(await isNow(fake), 'disabled')
    assert.match(
      said().join('\n'),
      /^warn with sync=disabled .*\ninfo sync of \S+ was standard, and is disabled now$/,
    )
    assert.is(await apply('disabled'), 0)
    assert.match(said().join('\n'), /^warn with sync=disabled [^\n]*$/)
    assert.is(await apply('standard'), 1)
    assert.is(await isNow(fake), 'standard')
  }))

test('a pool that does not take it is served all the same, and it is said', () =>
  withFakeZfs(async (fake) => {
    const { log, said } = kept()
    await fake.faults({ match: '^zfs set sync', action: 'fail', stderr: 'out of space', times: 1 })
    await applySync(fake, 'always', log)
    assert.match(said().join('\n'), /^warn sync of \S+ could not be set to always$/)
  }))

test('a ZFS that has none is asked nothing, and a wish for another than standard is said to be in vain', () =>
  withFakeZfs(
    async (fake) => {
      const { log, said } = kept()
      await fake.calls()
      await applySync(fake, 'standard', log)
      assert.equal(said(), [])
      await applySync(fake, 'always', log)
      assert.match(said().join('\n'), /^warn this ZFS has no property sync/)
      assert.equal(await fake.calls(), [])
    },
    { flavour: 'zfs-fuse' },
  ))

test('a daemon has done so when it serves', () =>
  withDaemon(async ({ fake }) => assert.is(await isNow(fake), 'always'), { config: ['zfs: {sync: always}'] }))

test.run()
