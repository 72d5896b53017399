/** Which streams a pool can receive: what each feature of a stream needs of the ZFS and of the pool, by the names of the parser. */
import type { PoolName } from './names.ts'
import type { RunOptions } from './run.ts'
import type { Zfs } from './zfs.ts'

/** Every OpenZFS that has pool features; `dmu_recv_begin` asks nothing of the pool for these. */
const OF_OPENZFS = ['sa-spill', 'compressed', 'resuming', 'holds', 'switch-to-large-blocks']

/** What `dmu_recv_begin` refuses with ENOTSUP where the pool has not that feature; one that is only known there, and disabled, will not do. */
const OF_POOL: readonly (readonly [stream: string, pool: string])[] = [
  ['embedded', 'embedded_data'],
  ['lz4', 'lz4_compress'],
  ['large-blocks', 'large_blocks'],
  ['redacted', 'redacted_datasets'],
  ['large-dnode', 'large_dnode'],
  ['raw', 'encryption'],
  ['zstd', 'zstd_compress'],
  ['longname', 'longname'],
  ['large-microzap', 'large_microzap'],
]

/**
 * Nothing of a ZFS without pool features: zfs-fuse takes only streams that use none (measured: it refuses all of OpenZFS 2.x, for
 * `sa-spill` is in each).
 */
export async function receivableBy(
  zfs: Zfs,
  pool: PoolName,
  options: RunOptions = {},
): Promise<readonly string[]> {
  if (zfs.capabilities.flavour !== 'openzfs') return []
  const listed = await zfs.commands.read('zpool', ['get', '-H', '-o', 'property,value', 'all', pool], options)
  return featuresReceived(listed)
}

/** Of the lines `feature@NAME<tab>STATE` among the properties of a pool. */
export function featuresReceived(listed: string): readonly string[] {
  const usable = new Set(
    [...listed.matchAll(/^feature@(\S+)\t(?:enabled|active)$/gm)].map(([, feature]) => feature),
  )
  return [...OF_OPENZFS, ...OF_POOL.flatMap(([stream, pool]) => (usable.has(pool) ? [stream] : []))]
}
