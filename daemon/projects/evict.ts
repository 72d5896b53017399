/**
 * Takes a project out of the pool, once the store is proven to hold all of it. Unmounted without force first, so that
 * nobody writes any more; where a proof fails it is mounted again.
 */
import { codeOf, messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { release, saveUnmounted } from './close.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { mountProject } from './mount-point.ts'
import { type Removed, refuseYoung, removeProven } from './remove-proven.ts'
import { type Resident, requireResident } from './resident.ts'
import type { SaveOptions } from './save.ts'

export interface Evicted extends Removed {
  /** As it was last read. */
  readonly project: Project
  /** Why this host is still the owner, where it is: the next close of the project lets it go. */
  readonly notReleased?: unknown
}

/**
 * Rejects with `dataset-busy`, `not-evictable`, `commit-too-young` or `not-proven`; all of it is then still in the pool, saved
 * or not, and mounted as it was, or the error says that it is not.
 */
export function evict(host: ProjectHost, id: ProjectId, options: SaveOptions = {}): Promise<Evicted> {
  return host.locks.hold(id, 'evict', options.signal, async () => {
    host.mayAct()
    refuseWhileCopied(host, id)
    const before = await requireResident(host, id, options)
    let gone: Evicted
    try {
      // The last proof would find it too, but only once it was unmounted under its users.
      await saveUnmounted(host, id, options, ({ project, point }) =>
        refuseYoung(host, project, point, options),
      )
      gone = await removeProven(host, id, options)
    } catch (error) {
      if (before.dataset.mounted)
        await mountProject(host, before.name).catch((unmounted) => staysUnmounted(before, error, unmounted))
      throw error
    }
    return released(host, id, gone, options)
  })
}

/** The unmounted project would wait for the end of the copy. */
function refuseWhileCopied(host: ProjectHost, id: ProjectId): void {
  if (host.restores.copying(id) === undefined) return
  throw new TidepoolError('dataset-busy', `project ${id} is being copied, to restore an old point of it`, {
    temporary: true,
    hint: 'It leaves the pool when that is done.',
  })
}

/** The first error stays the one that is told; that its users are shut out is told with it. */
function staysUnmounted({ id, name }: Resident, error: unknown, unmounted: unknown): never {
  throw new TidepoolError(
    codeOf(error) ?? 'evict-failed',
    `${messageOf(error)}; and project ${id} is not mounted again: ${messageOf(unmounted)}`,
    {
      cause: error,
      temporary: error instanceof TidepoolError && error.temporary,
      hint: `All of it is there. Mount it: zfs mount ${name}`,
    },
  )
}

/** What is gone from the pool is gone, whatever becomes of this. */
async function released(
  host: ProjectHost,
  id: ProjectId,
  gone: Evicted,
  options: ActOptions,
): Promise<Evicted> {
  try {
    return { ...gone, project: await release(host, id, options) }
  } catch (notReleased) {
    return { ...gone, notReleased }
  }
}
