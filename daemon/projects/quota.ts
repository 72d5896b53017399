/** What a project may take: its quota in the pool, and how much its snapshots may hold on to beyond that. */
import { setProperties } from '../../native/zfs/dataset.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { humanBytes } from '../../pipeline/base/units.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import type { ProjectHost } from './host.ts'
import type { Resident } from './resident.ts'

/** Snapshots keep what was deleted: without a limit a project could fill the pool from within its quota. */
export async function refuseTooManySnapshots(
  { settings }: ProjectHost,
  { dataset }: Resident,
  { id, statics: { quotaBytes } }: Project,
): Promise<void> {
  if (quotaBytes === null) return
  const mostBytes = BigInt(Math.round(Number(quotaBytes) * settings.snapshotQuotaFactor))
  if (dataset.snapshotBytes <= mostBytes) return
  throw new TidepoolError(
    'snapshots-over-quota',
    `the snapshots of project ${id} take ${humanBytes(dataset.snapshotBytes)}, more than ${settings.snapshotQuotaFactor} times its quota of ${humanBytes(quotaBytes)}: no new point is made`,
    {
      hint: 'Destroy snapshots that were made by hand or with --local, or raise the quota.',
      facts: { project: id, snapshotBytes: dataset.snapshotBytes, quotaBytes },
    },
  )
}

/** `refquota`: `df` in the project shows it, and its snapshots don't eat it up. */
export async function applyQuota(
  { zfs }: ProjectHost,
  { name, dataset }: Pick<Resident, 'name' | 'dataset'>,
  { statics: { quotaBytes } }: Project,
): Promise<void> {
  if ((quotaBytes ?? undefined) === dataset.refquotaBytes) return
  await setProperties(zfs, name, { refquota: quotaBytes === null ? 'none' : String(quotaBytes) })
}
