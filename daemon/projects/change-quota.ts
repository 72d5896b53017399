/** Changes the quota of a project after it was made: in the pool where it is there, and in the store. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { settle } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { setQuota } from '../../pipeline/graph/transitions/life.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { applyQuota, checkQuota } from './quota.ts'
import { resident } from './resident.ts'
import { whileOwned } from './while-owned.ts'

/**
 * Changes what a project may take, here and in the store. Rejects with `quota-impossible` where it takes more already, with
 * `owned-elsewhere` where another host would have to apply it.
 */
export function changeQuota(
  host: ProjectHost,
  id: ProjectId,
  quotaBytes: bigint | null,
  options: ActOptions = {},
): Promise<Project> {
  if (quotaBytes !== null) checkQuota(quotaBytes)
  return host.locks.hold(id, 'quota', options.signal, () => {
    host.mayAct()
    return whileOwned(host, id, options, async (project) => {
      const there = await resident(host, id, options)
      // The pool first: it alone knows what is used. What the store has is applied by each open.
      if (there) await applyQuota(host, there, { ...project, statics: { ...project.statics, quotaBytes } })
      const after = await settle(host.store.catalogue, project, setQuota(project, quotaBytes), options)
      if (after.statics.quotaBytes === quotaBytes) return after
      throw new TidepoolError('project-busy', `project ${id} changed while its quota was set`, {
        temporary: true,
        hint: 'Something else works on the same project: see its events, and try again.',
      })
    })
  })
}
