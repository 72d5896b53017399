/**
 * Drops what a killed look for anything new has left: a snapshot of ours that is no point and has nothing which the one before
 * it has not. It would look like something that only this pool has.
 */
import { destroySnapshot } from '../../native/zfs/dataset.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { isPoint } from '../../pipeline/graph/transitions/points.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { releaseLeftHolds } from './left-holds.ts'
import { isPointName } from './names.ts'
import { differs } from './news.ts'
import type { Resident } from './resident.ts'

/** Under the project's lock; with the resident as it is then. Where nothing was left it costs nothing. */
export async function withoutLeftovers(
  host: ProjectHost,
  project: Project,
  there: Resident,
  options: ActOptions = {},
): Promise<Resident> {
  let { snapshots } = there
  for (;;) {
    const [before, last] = snapshots.slice(-2)
    if (!before || !last || isPoint(project, last.guid) || !isPointName(last.name)) break
    if (await differs(host.zfs, before, last, options)) break
    await releaseLeftHolds(host.zfs, [last])
    await destroySnapshot(host.zfs, last.name, last.guid)
    snapshots = snapshots.slice(0, -1)
  }
  return { ...there, snapshots }
}
