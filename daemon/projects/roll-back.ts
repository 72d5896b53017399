/** Brings a project back to an older point: a transaction in the store, then an open, as for any change of its head. */
import { unmount } from '../../native/zfs/mount.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import { readResolved } from '../../pipeline/graph/resolve.ts'
import { settle } from '../../pipeline/graph/settle.ts'
import { rollback } from '../../pipeline/graph/transitions/points.ts'
import { saveUnmounted } from './close.ts'
import type { ProjectHost } from './host.ts'
import { type Opened, openLocked } from './open.ts'
import { own } from './own.ts'
import { resident } from './resident.ts'
import type { SaveOptions } from './save.ts'

/**
 * What was there until now is saved first, and stays a point until somebody acknowledges it. Rejects with `dataset-busy`
 * where somebody is in the project, and with `point-unknown`, before anything has moved.
 */
export function rollBack(
  host: ProjectHost,
  id: ProjectId,
  to: Guid,
  options: SaveOptions = {},
): Promise<Opened> {
  return host.locks.hold(id, 'rollback', options.signal, async () => {
    host.mayAct()
    const { catalogue } = host.store
    await own(host, id, options)
    const planned = await readResolved(catalogue, id, { ...host, ...options })
    // Asked for nothing: also a point that does not exist must not cost anybody an unmount.
    rollback(planned.project, to)
    // The oldest of those that the policy keeps would leave the graph with this very save.
    await saveUnmounted(host, id, { ...options, wanted: to })
    const { project } = await readResolved(catalogue, id, { ...host, ...options })
    if (project.statics.head !== to) {
      const after = await settle(catalogue, project, rollback(project, to), options)
      if (after.statics.head !== to)
        throw new TidepoolError('project-busy', `project ${id} was changed by somebody else meanwhile`, {
          temporary: true,
          hint: 'Look at its points, and try again if the rollback is still wanted.',
        })
    }
    const there = await resident(host, id, options)
    if (there?.dataset.mounted) await unmount(host.zfs, there.name)
    return openLocked(host, id, options)
  })
}
