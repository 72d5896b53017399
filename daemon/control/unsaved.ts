/** What is not saved yet, over all projects: how many, how much, and since when. What a crash of this host would cost. */
import type { Engine } from '../projects/engine.ts'
import type { FoundResident } from '../projects/reconcile.ts'

export interface Unsaved {
  readonly count: number
  /** Null where this ZFS does not count it; then all that are open count. */
  readonly bytes: bigint | null
  /** 0 where all is saved. */
  readonly oldestMs: number
}

export function unsavedOf({ saves, host }: Engine, residents: readonly FoundResident[]): Unsaved {
  const nowMs = host.clock.monotonicMs()
  const known = host.zfs.capabilities.written
  const dirty = residents.flatMap(({ id, writtenBytes }) => {
    const state = saves.state(id)
    if (!state) return []
    // A snapshot that is under way to the store is counted no more by ZFS.
    const isDirty = !known || (writtenBytes ?? 0n) > 0n || state.saving || state.failures > 0
    return isDirty ? [{ bytes: writtenBytes ?? 0n, ms: nowMs - state.savedUpToMs }] : []
  })
  return {
    count: dirty.length,
    bytes: known ? dirty.reduce((sum, { bytes }) => sum + bytes, 0n) : null,
    oldestMs: Math.round(Math.max(0, ...dirty.map(({ ms }) => ms))),
  }
}
