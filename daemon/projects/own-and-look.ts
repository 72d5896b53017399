/** Owns a project and looks at what the pool has of it, at once where both may be done: what an open begins with. */
import { allOf } from '../../pipeline/base/all-of.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { readResolved, unresolvedWrites } from '../../pipeline/graph/resolve.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { own } from './own.ts'
import { type Looked, look } from './resident.ts'

export interface OwnedAndLooked extends Looked {
  /** As read after the last transaction of this. */
  readonly project: Project
}

/** Rejects as `own` and `look` do; what no project has for a name, or another host owns, costs no command of ZFS. */
export async function ownAndLook(
  host: ProjectHost,
  id: ProjectId,
  options: ActOptions = {},
): Promise<OwnedAndLooked> {
  const { catalogue } = host.store
  const known = await readProject(catalogue, id, options)
  const { owner, life } = known.statics
  const owning = own(host, id, { ...options, known })
  if (life !== 'live' || (owner !== null && owner !== host.host)) await owning
  // The pool is this host's alone, so nothing that the transaction decides changes what is seen there.
  const [owned, looked] = await allOf([owning, look(host, id, options)])
  if (unresolvedWrites(owned, host).length === 0) return { ...looked, project: owned }
  const { project } = await readResolved(catalogue, id, { ...host, ...options })
  return { ...looked, project }
}
