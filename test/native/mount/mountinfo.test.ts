import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isZfs, parseMountinfo, readMounts } from '../../../native/mount/mountinfo.ts'

const test = suite('mountinfo')

const text = `22 27 0:20 / /proc rw,relatime - proc proc rw
42 27 0:39 / /tmp/a\\040b\\011c rw,relatime - fuse.zfs tank/a\\040b rw,user_id=0,allow_other
43 27 0:40 /sub /mnt/x\\134y rw shared:5 master:1 propagate_from:2 - zfs tank/p rw,xattr,posixacl
44 43 0:41 / /mnt/x\\134y/deep rw - ext4 /dev/sd\\043a rw
nonsense

`

test('octal escapes and optional fields are taken apart', () => {
  const mounts = parseMountinfo(text)
  assert.equal(
    mounts.map(({ id, parentId, root, mountPoint, type, source }) => [
      id,
      parentId,
      root,
      mountPoint,
      type,
      source,
    ]),
    [
      [22, 27, '/', '/proc', 'proc', 'proc'],
      [42, 27, '/', '/tmp/a b\tc', 'fuse.zfs', 'tank/a b'],
      [43, 27, '/sub', '/mnt/x\\y', 'zfs', 'tank/p'],
      [44, 43, '/', '/mnt/x\\y/deep', 'ext4', '/dev/sd#a'],
    ],
  )
  assert.equal(mounts.map(isZfs), [false, true, true, false])
  assert.is(mounts[1]?.device, '0:39')
  assert.equal(mounts[1]?.propagation, [])
  assert.equal(mounts[2]?.propagation, ['shared:5', 'master:1', 'propagate_from:2'])
  assert.equal(mounts[2]?.superOptions, ['rw', 'xattr', 'posixacl'])
})

test('what is mounted here is read', async () => {
  const mounts = await readMounts()
  assert.ok(mounts.some(({ mountPoint }) => mountPoint === '/'))
  assert.ok(mounts.some(({ mountPoint, type }) => mountPoint === '/proc' && type === 'proc'))
})

test.run()
