/**
 * Which projects nobody has written to since this process unmounted them and saw that all of them was saved: for a ZFS that does
 * not count what was written, where it takes a snapshot and a stream to know that anew.
 */
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { newest, type Resident } from './resident.ts'

/**
 * The first write after the newest snapshot replaces blocks that only snapshots have from then on, so `usedbysnapshots` grows with
 * it, whatever is written (measured on zfs-fuse 0.7: 80 KiB for a changed access time).
 */
const shownBy = (there: Resident): string =>
  [
    there.dataset.guid,
    newest(there)?.guid,
    there.snapshots.length,
    there.dataset.referencedBytes,
    there.dataset.snapshotBytes,
  ].join(' ')

export class Untouched {
  readonly #shown = new Map<ProjectId, string>()

  /** It is unmounted, and what it showed before that was proven is this. */
  note(there: Resident): void {
    this.#shown.set(there.id, shownBy(there))
  }

  /** It is mounted, or has left. */
  forget(id: ProjectId): void {
    this.#shown.delete(id)
  }

  /** False says nothing. */
  is(there: Resident): boolean {
    return !there.dataset.mounted && this.#shown.get(there.id) === shownBy(there)
  }
}
