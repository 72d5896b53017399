/** What a project may take: its quota in the pool, and how much its snapshots may hold on to beyond that. */
import { setProperties } from '../../native/zfs/dataset.ts'
import { dataset as look } from '../../native/zfs/list.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { humanBytes } from '../../pipeline/base/units.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import type { Resident } from './resident.ts'

/**
 * Why no new point may be made, also not in this pool alone; undefined where one may. Snapshots keep what was deleted: without a
 * limit a project could fill the pool from within its quota.
 */
export function tooManySnapshots(
  { settings }: ProjectHost,
  { id, dataset }: Pick<Resident, 'id' | 'dataset'>,
  quotaBytes: bigint | null,
): TidepoolError | undefined {
  if (quotaBytes === null) return undefined
  const mostBytes = BigInt(Math.round(Number(quotaBytes) * settings.snapshotQuotaFactor))
  if (dataset.snapshotBytes <= mostBytes) return undefined
  return new TidepoolError(
    'snapshots-over-quota',
    `the snapshots of project ${id} take ${humanBytes(dataset.snapshotBytes)}, more than ${settings.snapshotQuotaFactor} times its quota of ${humanBytes(quotaBytes)}: no new point is made`,
    {
      hint: 'Destroy snapshots that were made by hand or with --local, or raise the quota.',
      facts: { project: id, snapshotBytes: dataset.snapshotBytes, quotaBytes },
    },
  )
}

export const MIN_QUOTA_BYTES = 1024n * 1024n

const ROOM_TO_REMOVE_BYTES = 256n * 1024n

export function checkQuota(quotaBytes: bigint): void {
  if (quotaBytes >= MIN_QUOTA_BYTES) return
  throw new TidepoolError('bad-quota', `a quota of ${quotaBytes} bytes is too small`, {
    hint: 'Give at least 1 MiB, or none.',
  })
}

const refquotaOf = (quotaBytes: bigint | null): string => (quotaBytes === null ? 'none' : String(quotaBytes))

/** `refquota`: `df` in the project shows it, and its snapshots don't eat it up. */
export async function applyQuota(
  { zfs }: ProjectHost,
  { name, dataset }: Pick<Resident, 'name' | 'dataset'>,
  { statics: { quotaBytes } }: Project,
): Promise<void> {
  if ((quotaBytes ?? undefined) === dataset.refquotaBytes) return
  await setProperties(zfs, name, { refquota: refquotaOf(quotaBytes) })
}

/**
 * The same for an open, which a full project must not fail: ZFS counts what is written only when it writes it out, so that one that was
 * filled has some KiB more than its quota, and then refuses to set that. Such a one can do nothing but shrink, in the room that is left
 * to it: a removal writes too.
 */
export async function openWithQuota(
  host: Pick<ProjectHost, 'zfs'>,
  name: DatasetName,
  { statics: { quotaBytes } }: Project,
  { signal }: ActOptions = {},
): Promise<void> {
  const run = signal ? { signal } : {}
  const set = (refquota: string): Promise<void> => setProperties(host.zfs, name, { refquota }, run)
  try {
    await set(refquotaOf(quotaBytes))
  } catch (error) {
    if (codeOf(error) !== 'quota-impossible') throw error
    const found = await look(host.zfs, name, run)
    if (!found) throw error
    await set(String(found.referencedBytes + ROOM_TO_REMOVE_BYTES))
  }
}
