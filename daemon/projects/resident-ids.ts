/** Which projects a pool has, by their names alone. */
import { listInBrief } from '../../native/zfs/list.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { roleOf } from './names.ts'

/** In any order. */
export async function* residentIds(zfs: Zfs, parent: DatasetName): AsyncGenerator<ProjectId> {
  for await (const { name } of listInBrief(zfs, parent)) {
    const found = roleOf(name)
    if (found?.role === 'live') yield found.id
  }
}
