/** Makes this host the owner of a project, where nobody who lives owns it (rule 14). */
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { hostId, type ProjectId } from '../../pipeline/base/ids.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { markDead, type TakeOptions, takeProject } from '../../pipeline/hosts/take.ts'
import type { ActOptions, ProjectHost } from './host.ts'

/**
 * Rejects with `owned-elsewhere` at once where a host that may live owns it; with `takeover-asks` where that host looks
 * dead and a person is to say so.
 */
export async function own(
  host: ProjectHost,
  id: ProjectId,
  options: ActOptions & Pick<TakeOptions, 'known'> = {},
): Promise<Project> {
  const { catalogue } = host.store
  try {
    return await takeProject(catalogue, id, host.host, options)
  } catch (error) {
    if (codeOf(error) !== 'owned-elsewhere' || !(error instanceof TidepoolError)) throw error
    const { owner } = error.facts
    if (typeof owner !== 'string') throw error
    const row = await catalogue.readHost(hostId(owner), options)
    if (!row || !host.deathWatch.looksDead(row)) throw error
    if (host.settings.takeover === 'ask')
      throw new TidepoolError(
        'takeover-asks',
        `project ${id} is owned by host ${row.host} (${row.name}), which has been silent for ${Math.round(host.deathWatch.stoodStillMs(row) / 1000)} s`,
        {
          cause: error,
          hint: `If that machine is off for good: tidepool host dead ${row.host}`,
          facts: { project: id, owner: row.host, ownerName: row.name },
        },
      )
    await markDead(catalogue, row, options)
    return takeProject(catalogue, id, host.host, { signal: options.signal })
  }
}
