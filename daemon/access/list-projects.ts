/** What a listing of the directory shows of an engine's projects. Hints, all of them: whether a project is there its open tells. */
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { Engine } from '../projects/engine.ts'
import { residentIds } from '../projects/resident-ids.ts'
import type { Shown } from './layer.ts'

export async function* listProjects(
  { host }: Pick<Engine, 'host'>,
  what: Shown,
): AsyncGenerator<ProjectId, void, void> {
  if (what === 'all') {
    for await (const { id, life } of host.store.catalogue.projects()) if (life === 'live') yield id
    return
  }
  yield* residentIds(host.zfs, host.parent)
}
