/**
 * Destroys what the pool has of a project, once the store is proven to hold all of it (rule 21): what a cache may do with
 * its copy of the truth, and the only place where a project's dataset ends.
 */
import { destroyDataset } from '../../native/zfs/dataset.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import { cheapestPaths } from '../../pipeline/graph/plan.ts'
import { readResolved } from '../../pipeline/graph/resolve.ts'
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import { provePath } from '../../pipeline/scrub/prove.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { releaseLeftHolds } from './left-holds.ts'
import { withoutLeftovers } from './left-snapshots.ts'
import { mayEvict } from './may-evict.ts'
import { currentSnapshot } from './news.ts'
import { newest, type Resident, requireResident } from './resident.ts'
import { standing } from './standing.ts'

export interface Removed {
  /** What can be opened again, anywhere. */
  readonly point: Guid
  readonly freedBytes: bigint
  readonly project: Project
}

const LACKS_A_PROOF = new Set(['not-evictable', 'commit-too-young', 'not-proven'])

/** Whether it was refused for want of a proof, and not because something failed. */
export const isUnproven = (error: unknown): boolean => LACKS_A_PROOF.has(codeOf(error) ?? '')

/**
 * Under the project's lock, of a dataset that is not mounted. Rejects with `not-evictable`, `commit-too-young` or
 * `not-proven` where a proof is missing; the dataset is as it was then.
 */
export async function removeProven(
  host: ProjectHost,
  id: ProjectId,
  options: ActOptions = {},
): Promise<Removed> {
  const { catalogue } = host.store
  options.onProgress?.({ step: 'prove' })
  const before = await readResolved(catalogue, id, { ...host, ...options })
  const found = await requireResident(host, id, options)
  const there = await withoutLeftovers(host, before.project, found, options)
  const { point, path } = await evictable(host, before.project, there, options)
  await refuseYoung(host, before.project, point, options)
  await provePath(host.store, id, path, options)
  // The proof took its time. An unmounted dataset changes only by somebody's hand, but then it does; and a project may be purged.
  const { project } = await readResolved(catalogue, id, { ...host, ...options })
  const last = await requireResident(host, id, options)
  const now = newest(last)?.guid ?? null
  const written = (await currentSnapshot(host, last, options)).guid !== now
  const missing = mayEvict(project, { mounted: last.dataset.mounted, written, newest: now, proven: point })
  if (missing !== 'yes')
    throw new TidepoolError(
      'not-evictable',
      `${last.name} was changed while it was about to be evicted: it is ${missing}`,
      {
        temporary: true,
        hint: 'Somebody mounted it, made a snapshot by hand, or purges the project. What was written is saved by the next try.',
      },
    )
  host.mayAct()
  options.onProgress?.({ step: 'destroy' })
  await releaseLeftHolds(host.zfs, last.snapshots)
  await destroyDataset(host.zfs, last.name, { ...options, withSnapshots: true })
  return { point, freedBytes: last.dataset.usedBytes, project }
}

/** The newest snapshot, if it is all that the dataset has and committed streams lead to it. */
async function evictable(
  host: ProjectHost,
  project: Project,
  there: Resident,
  options: ActOptions,
): Promise<{ readonly point: Guid; readonly path: readonly WriteRow[] }> {
  const now = await standing(host, project, there, options)
  const point = newest(there)?.guid
  const path = point === undefined ? null : cheapestPaths(project.rows.values()).to(point)
  if ((now === 'current' || now === 'stale') && point !== undefined && path) return { point, path }
  const why = now === 'forked' || now === 'earlier-life' ? `it is ${now}` : 'no committed streams lead to it'
  throw new TidepoolError('not-evictable', `${there.name} is not to be evicted: ${why}`, {
    hint: 'What the truth has moved away from is set aside by the next open, and never destroyed.',
  })
}

/** What was committed a moment ago may be on too few disks yet to be the only copy. */
export async function refuseYoung(
  { store, settings }: ProjectHost,
  { id, rows }: Project,
  point: Guid,
  options: ActOptions = {},
): Promise<void> {
  const committedAtMs = cheapestPaths(rows.values()).to(point)?.at(-1)?.committedAtMs
  const ageMs = (await store.catalogue.nowMs(options)) - (committedAtMs ?? Number.POSITIVE_INFINITY)
  const leftMs = settings.evictAfterCommitMs - ageMs
  if (leftMs <= 0) return
  throw new TidepoolError(
    'commit-too-young',
    `the newest point of project ${id} was committed ${Math.round(ageMs / 1000)} s ago, and is not relied on before ${Math.round(settings.evictAfterCommitMs / 1000)} s`,
    { temporary: true, hint: `Try again in ${Math.ceil(leftMs / 1000)} s.`, facts: { project: id } },
  )
}
