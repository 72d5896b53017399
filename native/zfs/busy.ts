/** Tries again what zfs calls busy while nothing is to be seen that uses it; what is seen is said at once. */
import { setTimeout as sleep } from 'node:timers/promises'
import { mountsOf } from '../mount/mountinfo.ts'
import { ZfsError } from './errors.ts'
import { listSnapshots } from './list.ts'
import { type DatasetName, datasetOf, type SnapshotName } from './names.ts'
import type { RunOptions } from './run.ts'
import type { Zfs } from './zfs.ts'

export interface BusyOptions extends RunOptions {
  /** A hold on one of its snapshots may be the reason. */
  readonly holds?: boolean
  /** Instead of the setting. */
  readonly limitMs?: number
}

/** Rejects with `dataset-busy` where it is in use or stays busy, with `snapshot-held` where a hold is the reason. */
export async function whileBusy<T>(
  zfs: Zfs,
  name: DatasetName | SnapshotName,
  attempt: () => Promise<T>,
  { signal, holds = false, limitMs = zfs.commands.settings.busyLimitMs }: BusyOptions = {},
): Promise<T> {
  const deadline = performance.now() + limitMs
  for (let pauseMs = 50; ; pauseMs = Math.min(2000, pauseMs * 2)) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof ZfsError) || error.code !== 'dataset-busy') throw error
      const held = holds ? await heldSnapshot(zfs, name, signal ? { signal } : {}) : undefined
      if (held)
        throw new ZfsError(
          'snapshot-held',
          `${held} is held`,
          { program: 'zfs', args: [], stderr: error.stderr },
          error,
        )
      if (performance.now() + pauseMs >= deadline || (await inUse(zfs, name))) throw error
    }
    await sleep(pauseMs, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      signal?.throwIfAborted()
      throw error
    })
  }
}

/** zfs-fuse and OpenZFS up to 2.1 call a held snapshot busy. */
async function heldSnapshot(
  zfs: Zfs,
  name: DatasetName | SnapshotName,
  options: RunOptions,
): Promise<SnapshotName | undefined> {
  const dataset = datasetOf(name)
  try {
    const snapshots = await listSnapshots(zfs, dataset, options)
    return snapshots.find((snapshot) => snapshot.holds > 0 && (name === dataset || snapshot.name === name))
      ?.name
  } catch (error) {
    if (error instanceof ZfsError && error.code === 'dataset-missing') return undefined
    throw error
  }
}

async function inUse(zfs: Zfs, name: DatasetName | SnapshotName): Promise<boolean> {
  return !name.includes('@') && (await mountsOf(datasetOf(name), zfs.commands.settings.mountInfo)).length > 0
}
