/**
 * Unmounts a project that nobody uses: saved first, never by force, and owned as before, so that the next touch only mounts it.
 * Whoever wants it meanwhile has it: before the unmount it simply stays, after it the wanted open is the next act on it.
 */
import { unmount } from '../../native/zfs/mount.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { mountProject } from './mount-point.ts'
import { resident } from './resident.ts'
import { saveResident } from './save.ts'

export interface UnmountIdleOptions extends ActOptions {
  /** Asked again right before the unmount: the save may have taken long. */
  readonly isIdle: () => boolean
  /** The end of `unmounting`, before the lock is left; also where it stays mounted. */
  readonly closed: () => Promise<void>
}

/** False where it stays mounted because somebody wants it. Rejects with `dataset-busy` where somebody is in it. */
export function unmountIdle(
  host: ProjectHost,
  id: ProjectId,
  { isIdle, closed, signal }: UnmountIdleOptions,
): Promise<boolean> {
  const run = signal ? { signal } : {}
  return host.locks.hold(id, 'unmount', signal, async () => {
    host.mayAct()
    const isWanted = (): boolean => !isIdle() || (host.locks.state(id)?.waiting.length ?? 0) > 0
    const there = await resident(host, id, run)
    if (!there?.dataset.mounted) return true
    if (isWanted() || host.restores.copying(id) !== undefined) return false
    // What is long, while it can still be used; what this overlooks, the one after the unmount saves.
    await saveResident(host, there, { ...run, quick: true })
    try {
      await host.unmounting?.(id)
      if (isWanted()) return false
      await unmount(host.zfs, there.name, run)
      try {
        const after = await resident(host, id, run)
        if (after) await saveResident(host, after, run)
      } catch (error) {
        // Not saved, so it is as open as before: mounted, and saved again and again.
        await mountProject(host, there.name)
        throw error
      }
      return true
    } finally {
      await closed()
    }
  })
}
