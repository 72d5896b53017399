/** Whether what a program makes durable in a project is durable: `sync` of the dataset above all projects, as the configuration has it. */
import { setProperties } from '../../native/zfs/dataset.ts'
import { value } from '../../native/zfs/get.ts'
import type { PoolWishes } from '../../native/zfs/wanted.ts'
import { errorFields } from '../log/lines.ts'
import type { Log } from '../log/log.ts'
import type { ActOptions, ProjectHost } from './host.ts'

export type Sync = NonNullable<PoolWishes['sync']>

export const SYNC_DISABLED =
  'with sync=disabled a crash of this machine takes the last seconds from its projects, also of what a program had made durable'

/**
 * Set where it differs: the pool may have been made with another wish, or by hand, and projects inherit it. A pool that does not take it
 * is served all the same: it is said, and the next start tries again.
 */
export async function applySync(
  { zfs, parent }: Pick<ProjectHost, 'zfs' | 'parent'>,
  wanted: Sync,
  log: Log,
  { signal }: ActOptions = {},
): Promise<void> {
  const event = 'sync'
  if (wanted === 'disabled') log.warn({ event, wanted }, SYNC_DISABLED)
  if (!zfs.capabilities.sync) {
    if (wanted !== 'standard') log.warn({ event, wanted }, notSupported(wanted))
    return
  }
  const run = signal ? { signal } : {}
  try {
    const found = await value(zfs, parent, 'sync', run)
    if (found === wanted) return
    await setProperties(zfs, parent, { sync: wanted }, run)
    log.info({ event, wanted, found }, `sync of ${parent} was ${found}, and is ${wanted} now`)
  } catch (error) {
    signal?.throwIfAborted()
    log.warn({ event, wanted, error: errorFields(error) }, `sync of ${parent} could not be set to ${wanted}`)
  }
}

export const notSupported = (wanted: Sync): string =>
  `this ZFS has no property sync: it does what \`standard\` means elsewhere, and not \`${wanted}\``
