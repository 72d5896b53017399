import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOfText, commandLine, failed } from '../../../native/zfs/errors.ts'
import { recordedVersions, recordings } from '../../support/zfs-recordings.ts'

const test = suite('zfs errors')

for (const version of recordedVersions)
  test(`what ${version} printed has its code`, () => {
    const { messages } = recordings(version)
    assert.ok(messages.length > 100)
    for (const { id, said } of messages)
      for (const { text, code } of said) assert.is(codeOfText(text), code, `${id}: ${text}`)
  })

test('the same trouble has the same code in all versions', () => {
  const codes = (id: string) =>
    recordedVersions.map(
      (version) => recordings(version).messages.find((one) => one.id === id)?.said[0]?.code,
    )
  for (const [id, code] of [
    ['list-missing', 'dataset-missing'],
    ['send-missing-snapshot', 'dataset-missing'],
    ['create-name-15', 'dataset-exists'],
    ['recv-exists', 'dataset-exists'],
    ['create-name-14', 'parent-missing'],
    ['create-name-16', 'pool-missing'],
    ['export', 'pool-missing'],
    ['recv-truncated', 'stream-truncated'],
    ['recv-empty', 'stream-truncated'],
    ['recv-corrupt-middle', 'stream-checksum'],
    ['recv-garbage', 'stream-foreign'],
    ['recv-incr-out-of-order', 'base-missing'],
    ['recv-incr-modified', 'destination-modified'],
    ['recv-pool-full', 'out-of-space'],
    ['destroy-cloned', 'has-clones'],
    ['destroy-has-snapshots', 'has-children'],
    ['export-busy', 'dataset-busy'],
    ['rollback-newer', 'newer-snapshots'],
    ['hold', 'hold-exists'],
    ['mount-again', 'already-mounted'],
    ['pool-create-vdev-in-use', 'device-in-use'],
    ['send-unknown-option', 'usage'],
  ])
    assert.equal(codes(id as string), [code, code, code], id)
})

test('a stream of features that it does not know is unreceivable', () => {
  assert.is(
    codeOfText('cannot receive: stream has unsupported feature, feature flags = 4'),
    'stream-unreceivable',
  )
  assert.is(
    codeOfText('cannot receive new filesystem stream: pool must be upgraded to receive this stream.'),
    'stream-unreceivable',
  )
})

test('a bookmark that is gone is missing like anything else', () => {
  assert.is(codeOfText("bookmark 'tank/a#b' does not exist."), 'dataset-missing')
})

test('no ZFS to talk to, whichever it is', () => {
  for (const text of [
    'connect: No such file or directory\nPlease make sure that the zfs-fuse daemon is running.\ninternal error: failed to initialize ZFS library',
    "The ZFS modules are not loaded.\nTry running '/sbin/modprobe zfs' as root to load them.",
    'The ZFS modules cannot be auto-loaded.',
  ])
    assert.is(codeOfText(text), 'no-daemon')
})

test('what is busy is busy, whatever it is called', () => {
  for (const text of [
    "cannot destroy 'tank': pool is busy",
    "cannot mount 'tank/a': mountpoint or dataset is busy",
    "cannot unmount '/a': pool or dataset is busy",
    'umount: /a: target is busy.',
  ])
    assert.is(codeOfText(text), 'dataset-busy', text)
})

test('the usage after a complaint is no part of it', () => {
  const text = "invalid option 'p'\nusage:\n\tlist ... dataset does not exist\npool is read-only"
  assert.is(codeOfText(text), 'usage')
})

test('a signal, a status and a text unknown to us each have a code', () => {
  const command = { program: 'zfs', args: ['send', 'a@b'] }
  assert.is(failed({ ...command, signal: 'SIGPIPE' }).code, 'reader-gone')
  assert.is(failed({ ...command, exit: 141 }).code, 'reader-gone')
  assert.is(failed({ ...command, signal: 'SIGABRT' }).code, 'zfs-aborted')
  const odd = failed({ ...command, exit: 1, stderr: 'something new\nover two lines\n' })
  assert.is(odd.code, 'zfs-failed')
  assert.is(odd.message, 'zfs send a@b failed with exit code 1: something new over two lines')
  assert.is(odd.facts.exit, 1)
})

test('a command is shown as a shell would take it', () => {
  assert.is(commandLine('zfs', ['set', "a:b=it's", 'p/a b']), `zfs set 'a:b=it'\\''s' 'p/a b'`)
})

test.run()
