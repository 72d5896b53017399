/** Makes a point of what a project is now: in the store, or, quick and at the pool's mercy, only here. */
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import type { ProjectHost } from './host.ts'
import { takePoint } from './news.ts'
import { tooManySnapshots } from './quota.ts'
import { requireResident } from './resident.ts'
import { type SaveOptions, saveResident } from './save.ts'

export interface SnapshotOptions extends SaveOptions {
  /** Not sent: it dies with the pool, and with the project's place in it. */
  readonly local?: boolean
}

/** Where nothing was written since the newest point, that one is it. */
export function snapshotProject(
  host: ProjectHost,
  id: ProjectId,
  { local = false, ...options }: SnapshotOptions = {},
): Promise<Guid> {
  return host.locks.hold(id, 'snapshot', options.signal, async () => {
    const there = await requireResident(host, id, options)
    if (local) {
      // What was applied here is what the store says, and costs no question to it.
      const refusal = tooManySnapshots(host, there, there.dataset.refquotaBytes ?? null)
      if (refusal) throw refusal
      return (await takePoint(host, there, { ...options, local })).guid
    }
    return (await saveResident(host, there, options)).point
  })
}
