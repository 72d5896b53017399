/**
 * After a save: which snapshots of a project stay in the pool. The newest saved one stays as a snapshot, or "unchanged"
 * could never be seen; those on the head's path stay as bases, as bookmarks where ZFS has them; what people made stays.
 */
import { bookmark, destroyBookmark, destroySnapshot } from '../../native/zfs/dataset.ts'
import type { Snapshot } from '../../native/zfs/list.ts'
import { bookmarkOf, datasetOf, type SnapshotName, tagOf } from '../../native/zfs/names.ts'
import type { Guid } from '../../pipeline/base/ids.ts'
import { pathToHead } from '../../pipeline/graph/plan.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { afterSave } from './after-save.ts'
import type { ProjectHost } from './host.ts'
import { releaseLeftHolds } from './left-holds.ts'
import { isPointName } from './names.ts'
import type { Resident } from './resident.ts'

/** Best effort, one by one: what stays costs space only, and the next save trims again. */
export async function trim(
  { zfs, restores }: ProjectHost,
  { id, snapshots, bookmarks }: Resident,
  project: Project,
  saved: Snapshot,
): Promise<void> {
  const bases = new Set<Guid>((pathToHead(project) ?? []).map((row) => row.to))
  for (const old of snapshots) {
    const becomes = afterSave(old.guid, saved.guid, bases)
    if (becomes === 'stays' || old.createTxg > saved.createTxg || !isPointName(old.name)) continue
    if (old.guid === restores.copying(id)) continue
    if (becomes === 'base' && !zfs.capabilities.bookmarks) continue
    await orStays(async () => {
      if (becomes === 'base') await bookmark(zfs, old.name, markOf(old.name))
      await releaseLeftHolds(zfs, [old])
      await destroySnapshot(zfs, old.name, old.guid)
    })
  }
  for (const { guid, name } of bookmarks)
    if (!bases.has(guid) && isPointName(name)) await orStays(() => destroyBookmark(zfs, name))
}

/** Held by somebody, cloned or busy: it stays for now. */
async function orStays(act: () => Promise<unknown>): Promise<void> {
  await act().catch(() => {})
}

const markOf = (name: SnapshotName) => bookmarkOf(datasetOf(name), tagOf(name))
