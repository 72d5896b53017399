/**
 * Takes out of the way what the pool has of a project and what is not its present state any more. What only a fork has
 * becomes a side point first; nothing is merged, and nothing goes that the store is not proven to have (rules 19 to 21).
 */
import { unmount } from '../../native/zfs/mount.ts'
import { messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { cheapestPaths } from '../../pipeline/graph/plan.ts'
import { readResolved } from '../../pipeline/graph/resolve.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { type SetAside, setAside } from './aside.ts'
import type { Standing } from './decide.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { withoutLeftovers } from './left-snapshots.ts'
import { isUnproven, removeProven } from './remove-proven.ts'
import { newest, type Resident, resident } from './resident.ts'
import { saveResident } from './save.ts'
import { standing } from './standing.ts'

/**
 * For a project that this host has in its pool and may no longer write to. Resolves with where it went; undefined where
 * there was nothing to do: it is the present state, or a clean cache. Rejects with `dataset-busy` where somebody works in
 * it: what they wrote up to now is saved then, and the next call goes on.
 */
export function retire(
  host: ProjectHost,
  id: ProjectId,
  options: ActOptions = {},
): Promise<SetAside | undefined> {
  return host.locks.hold(id, 'retire', options.signal, async () => {
    const { project } = await readResolved(host.store.catalogue, id, { ...host, ...options })
    const found = await resident(host, id, options)
    if (!found) return undefined
    const there = await withoutLeftovers(host, project, found, options)
    const now = await standing(host, project, there, options)
    if (now === 'current') return undefined
    if (now === 'stale' && !isSide(project, there)) {
      if (there.dataset.mounted)
        await unmount(host.zfs, there.name, options.signal ? { signal: options.signal } : {})
      return undefined
    }
    return outOfTheWay(host, project, there, now, options)
  })
}

/** Whether it is what a fork became: its owners look for it here, not only among the points. */
export function isSide({ statics: { kept } }: Project, there: Resident): boolean {
  const point = newest(there)?.guid
  return point !== undefined && kept[point] === 'side'
}

/** Whether committed streams go on from what the pool has to the head: a side point is an end. */
export function leadsToHead(project: Project, there: Resident): boolean {
  const start = newest(there)?.guid
  const { head } = project.statics
  if (start === undefined || head === null) return false
  const path = cheapestPaths(project.rows.values(), { from: [start] }).to(head)
  return path !== null && path[0]?.from !== null
}

/**
 * Under the project's lock, of what is not current. A clean copy from which no streams lead on is of no use, and is
 * destroyed where the store is proven to have all of it; undefined then. All else is set aside.
 */
export async function outOfTheWay(
  host: ProjectHost,
  project: Project,
  there: Resident,
  now: Exclude<Standing, 'current'>,
  options: ActOptions = {},
): Promise<SetAside | undefined> {
  if (now === 'earlier-life') {
    const why = `it is of an earlier life of the project, which was born anew under epoch ${project.statics.born}`
    return setAside(host, there, why, options)
  }
  const run = options.signal ? { signal: options.signal } : {}
  if (there.dataset.mounted) {
    // Whoever is in it may stay for days: what they have is saved now, and the rest once nobody writes any more.
    await saveResident(host, there, options)
    await unmount(host.zfs, there.name, run)
  }
  if (now === 'stale' && !isSide(project, there)) {
    try {
      await removeProven(host, there.id, options)
      return undefined
    } catch (unproven) {
      if (!isUnproven(unproven)) throw unproven
      return setAside(host, there, `no streams lead on from it, and ${messageOf(unproven)}`, options)
    }
  }
  const saved = await saveResident(host, await again(host, there, options), options)
  const { owner, epoch } = project.statics
  const taken =
    owner !== null && owner !== host.host
      ? `taken by ${owner}`
      : `opened under epoch ${there.openedEpoch}, the project is at ${epoch}`
  return setAside(host, there, `${taken}; what was written here since is point ${saved.point}`, options)
}

async function again(host: ProjectHost, there: Resident, options: ActOptions): Promise<Resident> {
  const now = await resident(host, there.id, options)
  if (now) return now
  throw new TidepoolError('dataset-missing', `${there.name} is gone`, { temporary: true, hint: 'Try again.' })
}
