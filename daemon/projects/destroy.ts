/**
 * Destroys a project, and has it back. Destroyed means that nobody can open it; all of it stays in the store until its
 * window has passed and scrub purges it, and what the pool has of it is evicted like any other cache.
 */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { readResolved } from '../../pipeline/graph/resolve.ts'
import { readProject, settle } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { destroyProject, undeleteProject } from '../../pipeline/graph/transitions/life.ts'
import { saveUnmounted } from './close.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { own } from './own.ts'
import type { SaveOptions } from './save.ts'

/**
 * What was written up to now is saved first, so that an undelete brings back all of it. Rejects with `dataset-busy` where
 * somebody is in the project, and with `owned-elsewhere`, before anything has changed. Destroyed already is done.
 */
export function destroyHere(host: ProjectHost, id: ProjectId, options: SaveOptions = {}): Promise<Project> {
  return host.locks.hold(id, 'destroy', options.signal, async () => {
    host.mayAct()
    const { catalogue } = host.store
    const before = await readProject(catalogue, id, options)
    if (before.statics.life !== 'live') return before
    await own(host, id, options)
    await saveUnmounted(host, id, options)
    const { project } = await readResolved(catalogue, id, { ...host, ...options })
    const nowMs = await catalogue.nowMs(options)
    const after = await settle(catalogue, project, destroyProject(project, nowMs), options)
    if (after.statics.life === 'live') throw changed(id)
    return after
  })
}

/** Rejects with `project-gone` once it is being purged. It has no owner then; live already is done. */
export async function undelete(
  { store: { catalogue } }: Pick<ProjectHost, 'store'>,
  id: ProjectId,
  options: ActOptions = {},
): Promise<Project> {
  const project = await readProject(catalogue, id, options)
  if (project.statics.life === 'live') return project
  if (project.statics.life !== 'destroyed')
    throw new TidepoolError(
      'project-gone',
      `project ${id} is ${project.statics.life}: its window has passed`,
      {
        hint: 'A backup host may still have it.',
      },
    )
  const nowMs = await catalogue.nowMs(options)
  const after = await settle(catalogue, project, undeleteProject(project, nowMs), options)
  if (after.statics.life !== 'live') throw changed(id)
  return after
}

const changed = (id: ProjectId): TidepoolError =>
  new TidepoolError('project-busy', `project ${id} was changed by somebody else meanwhile`, {
    temporary: true,
    hint: 'Try again.',
  })
