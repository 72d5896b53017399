/** Closes a project: saved, unmounted, released, so that another host may own it at once. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { readResolved } from '../../pipeline/graph/resolve.ts'
import { settle } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { releaseProject } from '../../pipeline/graph/transitions/owner.ts'
import type { ProjectHost } from './host.ts'
import { newest, resident } from './resident.ts'
import { type Saved, type SaveOptions, saveResident } from './save.ts'
import { unmountUsers } from './unmount-users.ts'

export interface Closed {
  /** Undefined where the pool had nothing of it. */
  readonly saved?: Saved
  readonly project: Project
}

/**
 * Rejects with `dataset-busy` where somebody is in it, before anything else happened but a save; the dataset stays in the
 * pool, as a cache. What is not owned here is only unmounted.
 */
export function close(host: ProjectHost, id: ProjectId, options: SaveOptions = {}): Promise<Closed> {
  return host.locks.hold(id, 'close', options.signal, async () => {
    const saved = await saveUnmounted(host, id, options)
    const project = await release(host, id, options)
    return saved ? { saved, project } : { project }
  })
}

/**
 * Saved twice: what is long, while it is in use; what came since, once nobody can write any more. `mayUnmount` rejects in between where
 * its users are not to be disturbed for nothing.
 */
export async function saveUnmounted(
  host: ProjectHost,
  id: ProjectId,
  options: SaveOptions = {},
  mayUnmount: (saved: Saved) => Promise<void> = async () => {},
): Promise<Saved | undefined> {
  const there = await resident(host, id, options)
  if (!there) return undefined
  if (there.dataset.mounted) {
    await mayUnmount(await saveResident(host, there, options))
    options.onProgress?.({ step: 'unmount' })
    await host.unmounting?.(id)
    await unmountUsers(host, there, options)
  }
  const after = there.dataset.mounted ? await resident(host, id, options) : there
  const saved = after && (await saveResident(host, after, options))
  // By what it showed before that was proven: whoever writes from then on changes it.
  if (after && saved?.kind === 'unchanged') host.untouched.note(after)
  return saved
}

/** Under the rev at which the newest snapshot was read to be the head (rule 17). */
export async function release(host: ProjectHost, id: ProjectId, options: SaveOptions = {}): Promise<Project> {
  const { catalogue } = host.store
  options.onProgress?.({ step: 'release' })
  const { project } = await readResolved(catalogue, id, { ...host, ...options })
  if (project.statics.owner !== host.host) return project
  const there = await resident(host, id, options)
  const { head } = project.statics
  if (there && newest(there)?.guid !== head)
    throw new TidepoolError('not-saved', `the newest snapshot of ${there.name} is not the head ${head}`, {
      temporary: true,
      hint: 'Save it first; its host stays the owner until then.',
    })
  const after = await settle(catalogue, project, releaseProject(project), options)
  if (after.statics.owner !== host.host) return after
  throw new TidepoolError('project-busy', `project ${id} changed while it was released`, {
    temporary: true,
    hint: 'Try again.',
  })
}
