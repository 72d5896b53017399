/**
 * Lets go what a killed save left held. Only under the project's lock, which no save of this process has then; and no other
 * process works with the pool.
 */
import { release } from '../../native/zfs/dataset.ts'
import type { Snapshot } from '../../native/zfs/list.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { SAVE_HOLD } from './names.ts'

export async function releaseLeftHolds(zfs: Zfs, snapshots: readonly Snapshot[]): Promise<void> {
  for (const { name, holds } of snapshots) if (holds > 0) await release(zfs, SAVE_HOLD, name)
}
