/** Takes back what a receive left that failed, or that succeeded with bytes that turned out not to be the right ones. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Guid } from '../../pipeline/base/ids.ts'
import { destroyDataset, rollback } from './dataset.ts'
import { ZfsError } from './errors.ts'
import { dataset, listSnapshots } from './list.ts'
import type { DatasetName } from './names.ts'
import type { Zfs } from './zfs.ts'

/** How long ZFS may take to drop by itself what it had received of a stream that broke off. */
const DROP_LIMIT_MS = 15_000

/**
 * Touches nothing but what the receive can have made: a dataset that was not there before, with no snapshot but `to`; or
 * the one snapshot `to` on top of `from`.
 */
export async function undoReceive(
  zfs: Zfs,
  target: DatasetName,
  { from, to }: { readonly from?: Guid; readonly to: Guid },
): Promise<void> {
  const partial = async () => (await dataset(zfs, target))?.resumeToken !== undefined
  if (from !== undefined) {
    if (await partial()) await zfs.commands.change('zfs', ['receive', '-A', target])
    const snapshots = await listSnapshots(zfs, target)
    const base = snapshots.at(-2)
    if (snapshots.at(-1)?.guid === to && base?.guid === from)
      await rollback(zfs, base.name, { destroyNewer: true })
    return
  }
  const deadline = performance.now() + DROP_LIMIT_MS
  for (let pauseMs = 20; ; pauseMs = Math.min(500, pauseMs * 2)) {
    const snapshots = await snapshotsOrGone()
    if (snapshots === undefined) return
    if (snapshots.some((snapshot) => snapshot.guid !== to)) return // something else has come in its place
    if (snapshots.length > 0 || performance.now() >= deadline) break
    if (await partial()) {
      await zfs.commands.change('zfs', ['receive', '-A', target])
      continue
    }
    await sleep(pauseMs)
  }
  await destroyDataset(zfs, target, { withSnapshots: true })

  async function snapshotsOrGone() {
    try {
      return await listSnapshots(zfs, target)
    } catch (error) {
      if (error instanceof ZfsError && error.code === 'dataset-missing') return undefined
      throw error
    }
  }
}
