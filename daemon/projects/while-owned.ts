/**
 * Owns a project for one change of what the store has of it. One that this host did not own before is nobody's again after, so that whoever
 * opens it next finds it free, and is not told that a host owns it on which nobody has opened it.
 */
import { codeOf } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { release } from './close.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { own } from './own.ts'

/** Under the project's lock. Resolves with the project as it is in the end. Rejects as `own` and `change` do. */
export async function whileOwned(
  host: ProjectHost,
  id: ProjectId,
  options: ActOptions,
  change: (project: Project) => Promise<Project>,
): Promise<Project> {
  const known = await readProject(host.store.catalogue, id, options)
  const wasOurs = known.statics.owner === host.host
  const project = await own(host, id, { ...options, known })
  let changed: Project
  try {
    changed = await change(project)
  } catch (error) {
    if (!wasOurs) await release(host, id).catch(() => {})
    throw error
  }
  if (wasOurs) return changed
  try {
    return await release(host, id, options)
  } catch (error) {
    // The pool holds something of it that was never saved: then it stays this host's, which saves it.
    if (codeOf(error) === 'not-saved') return changed
    throw error
  }
}
