import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { poolOf } from '../../../native/zfs/names.ts'
import { receivableBy } from '../../../native/zfs/receives.ts'
import { alwaysBrings } from '../../../native/zfs/send.ts'
import { withPool } from '../../support/zfs-pool.ts'

const test = suite('zfs: what a real pool can receive')

test('at least what its own streams bring; without pool features nothing more', () =>
  withPool(async ({ zfs, parent }) => {
    const can = await receivableBy(zfs, poolOf(parent))
    for (const feature of alwaysBrings(zfs.capabilities)) assert.ok(can.includes(feature), feature)
    if (zfs.capabilities.flavour === 'zfs-fuse') return assert.equal(can, [])
    for (const feature of ['lz4', 'compressed', 'embedded', 'zstd', 'raw', 'large-blocks'])
      assert.ok(can.includes(feature), feature)
  }))

test.run()
