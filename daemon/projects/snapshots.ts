/** Every state of a project that can be looked into: points that the store keeps, and snapshots that only this pool has. */
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import { heldSnapshots } from './copy-in-pool.ts'
import { historyOf } from './history.ts'
import type { ActOptions, ProjectHost } from './host.ts'

export interface State {
  readonly point: Guid
  readonly atMs: number
  readonly isHead: boolean
  /** The store has it. Where not, it leaves with this pool's copy of the project. */
  readonly isStored: boolean
  /** This pool has it, so that looking into it costs the store nothing. */
  readonly isHere: boolean
}

/** Newest first. */
export async function statesOf(
  host: ProjectHost,
  id: ProjectId,
  options: ActOptions = {},
): Promise<readonly State[]> {
  const project = await readProject(host.store.catalogue, id, options)
  const held = new Map((await heldSnapshots(host, id, options)).map((one) => [one.guid, one.createdMs]))
  const stored = historyOf(project, host.settings.retention).map(({ guid, atMs, isHead }) => ({
    point: guid,
    atMs,
    isHead,
    isStored: true,
    isHere: held.has(guid),
  }))
  const known = new Set(stored.map(({ point }) => point))
  const alone = [...held]
    .filter(([guid]) => !known.has(guid))
    .map(([point, atMs]) => ({ point, atMs, isHead: false, isStored: false, isHere: true }))
  return [...stored, ...alone].sort((a, b) => b.atMs - a.atMs)
}
