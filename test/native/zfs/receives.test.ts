import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { poolOf } from '../../../native/zfs/names.ts'
import { featuresReceived, receivableBy } from '../../../native/zfs/receives.ts'
import { withFakeZfs } from '../../support/fake-zfs.ts'

const test = suite('zfs: what a pool can receive')

/** Of the properties that `zpool get` lists of a new pool of 2.1.11 and of 2.3.2. */
const OLD = [
  'size\t480M',
  'health\tONLINE',
  'feature@lz4_compress\tactive',
  'feature@embedded_data\tactive',
  'feature@large_blocks\tenabled',
  'feature@large_dnode\tenabled',
  'feature@encryption\tenabled',
  'feature@redacted_datasets\tenabled',
  'feature@zstd_compress\tenabled',
  '',
].join('\n')
const NEW = `${OLD}feature@longname\tenabled\nfeature@large_microzap\tenabled\n`

test('what its pool has enabled, and what every OpenZFS takes', () => {
  const old = featuresReceived(OLD)
  for (const feature of ['sa-spill', 'compressed', 'lz4', 'embedded', 'zstd', 'raw', 'large-blocks'])
    assert.ok(old.includes(feature), feature)
  assert.not(old.includes('longname'))
  assert.not(old.includes('dedup'))
  assert.equal(
    featuresReceived(NEW).filter((feature) => !old.includes(feature)),
    ['longname', 'large-microzap'],
  )
  assert.not(
    featuresReceived(OLD.replace('zstd_compress\tenabled', 'zstd_compress\tdisabled')).includes('zstd'),
  )
})

test('a ZFS without pool features takes none, and is not asked', async () => {
  await withFakeZfs(
    async ({ zfs, parent, calls }) => {
      await calls()
      assert.equal(await receivableBy(zfs, poolOf(parent)), [])
      assert.equal(await calls(), [])
    },
    { flavour: 'zfs-fuse' },
  )
  await withFakeZfs(async ({ zfs, parent }) => {
    assert.ok((await receivableBy(zfs, poolOf(parent))).includes('zstd'))
  })
})

test.run()
