/**
 * A project of which a command of ZFS can't be ended is left alone until it ends: nobody knows what that command still does, and a
 * second one would wait for it in the kernel, too. All others go on.
 */
import { endLeftovers, type Leftovers } from '../../native/zfs/leftovers.ts'
import type { StuckCommand } from '../../native/zfs/run.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { idOfName } from './names.ts'

type Pool = Pick<ProjectHost, 'zfs' | 'parent'>

/** The first that works on a dataset of the project, whatever its name says that it is. */
export function stuckOn({ zfs, parent }: Pool, id: ProjectId): StuckCommand | undefined {
  return zfs.commands.stuck.find(({ args }) => args.some((arg) => idOfName(parent, arg) === id))
}

/**
 * Before a start does anything: what an earlier daemon, which was killed, was doing with projects is ended, and where it can't be, its project
 * is left alone as if this one had begun it.
 */
export const endOutlived = ({ zfs, parent }: Pool, options: ActOptions = {}): Promise<Leftovers> =>
  endLeftovers(zfs.commands, (args) => args.some((arg) => idOfName(parent, arg) !== undefined), options)

/** Rejects with `project-quarantined`. */
export function refuseStuck(pool: Pool, id: ProjectId): void {
  const stuck = stuckOn(pool, id)
  if (!stuck) return
  const { pid, command, sinceMs } = stuck
  throw new TidepoolError(
    'project-quarantined',
    `project ${id} is left alone: \`${command}\` (process ${pid}) can't be ended, since ${new Date(sinceMs).toISOString()}`,
    {
      temporary: true,
      hint: 'The kernel does not let it end: look at `dmesg` and `zpool status`. The project is served again when that process is gone.',
      facts: { project: id, pid, command },
    },
  )
}
