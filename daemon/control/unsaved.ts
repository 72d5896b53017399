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

/** Undefined where the store has all of it. */
export function unsavedPart(
  { saves, host }: Engine,
  { id, writtenBytes = 0n }: FoundResident,
): { readonly bytes: bigint; readonly ms: number } | undefined {
  const state = saves.state(id)
  if (!state) return undefined
  // A snapshot that is under way to the store is counted no more by ZFS.
  const isSaving = state.saving || host.locks.state(id)?.what === 'save'
  const isDirty =
    !host.zfs.capabilities.written ||
    writtenBytes > 0n ||
    isSaving ||
    state.hasOwnSnapshot ||
    state.failures > 0
  return isDirty ? { bytes: writtenBytes, ms: host.clock.monotonicMs() - state.savedUpToMs } : undefined
}

export function unsavedOf(engine: Engine, residents: readonly FoundResident[]): Unsaved {
  const dirty = residents.flatMap((one) => unsavedPart(engine, one) ?? [])
  return {
    count: dirty.length,
    bytes: engine.host.zfs.capabilities.written ? dirty.reduce((sum, { bytes }) => sum + bytes, 0n) : null,
    oldestMs: Math.round(Math.max(0, ...dirty.map(({ ms }) => ms))),
  }
}
