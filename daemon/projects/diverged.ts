/**
 * Projects that are open here and not any more what the store calls theirs: taken by another host, or rolled back by hand. Their
 * users go on writing, each save becomes a side point; once nobody is in one it is unmounted and set aside (rule 19). Until then
 * this knows of it, for whoever asks.
 */
import { holders } from '../../native/mount/holders.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { type Guid, hostId, type ProjectId } from '../../pipeline/base/ids.ts'
import type { SetAside } from './aside.ts'
import type { ProjectHost } from './host.ts'
import { mountPointOf } from './mount-point.ts'
import { retire } from './retire.ts'
import type { Saved } from './save.ts'

export interface DivergedProject {
  readonly id: ProjectId
  /** When it was first seen, by the wall clock. */
  readonly sinceMs: number
  /** Who owns the project now; undefined where nobody else does, and what is here has left its head by hand. */
  readonly takenBy: { readonly host: string; readonly name: string } | undefined
  /** What was written here, up to the last save. */
  readonly point: Guid
  /** Why it could not be set aside yet, where that was tried; undefined while somebody uses it. */
  readonly error: unknown
}

export interface DivergedOptions {
  readonly host: ProjectHost
  readonly idleMs: (id: ProjectId) => number
  /** So long nobody may have used it: who walks through it each minute is in it, too. */
  readonly leaveAfterMs: number
  readonly found: (one: DivergedProject) => void
  /** It is not mounted any more; undefined where it stays in the pool, as a clean cache. */
  readonly gone: (id: ProjectId, aside: SetAside | undefined) => void
  /** The end of `host.unmounting`, before the act ends; also where it stays mounted. */
  readonly unmounted: (id: ProjectId) => Promise<void>
}

export class Diverged {
  readonly #options: DivergedOptions
  readonly #known = new Map<ProjectId, DivergedProject>()
  /** Of which the store is being asked who has it now; with what was written here up to the last save since. */
  readonly #noting = new Map<ProjectId, { point: Guid }>()

  constructor(options: DivergedOptions) {
    this.#options = options
  }

  get all(): readonly DivergedProject[] {
    return [...this.#known.values()]
  }

  get(id: ProjectId): DivergedProject | undefined {
    return this.#known.get(id)
  }

  /** It is the project's present state again, or is not here any more. */
  forget(id: ProjectId): void {
    this.#known.delete(id)
    this.#noting.delete(id)
  }

  /** By what a save has shown. */
  async note(id: ProjectId, saved: Saved): Promise<void> {
    if (saved.as === 'head') return this.forget(id)
    const before = this.#known.get(id)
    if (before) return void this.#known.set(id, { ...before, point: saved.point })
    const asking = this.#noting.get(id)
    if (asking) {
      asking.point = saved.point
      return
    }
    const { host, found } = this.#options
    const sinceMs = host.clock.wallMs()
    const mine = { point: saved.point }
    this.#noting.set(id, mine)
    const takenBy = await ownerOf(host, saved)
    // It was forgotten while the store was asked: closed, or opened anew and perhaps taken again, which is another one's to tell.
    if (this.#noting.get(id) !== mine) return
    this.#noting.delete(id)
    const one = { id, sinceMs, takenBy, point: mine.point, error: undefined }
    this.#known.set(id, one)
    found(one)
  }

  /** Takes it out of its users' way where none is in it; never rejects but with the signal's reason: the next save tries again. */
  async leave(id: ProjectId, signal: AbortSignal): Promise<void> {
    const { host, idleMs, leaveAfterMs, gone, unmounted } = this.#options
    if (!this.#known.has(id) || idleMs(id) < leaveAfterMs) return
    // Before its paths are held up for it.
    if ((await holders(mountPointOf(host, id), { max: 1 })).length > 0) return
    try {
      await host.unmounting?.(id)
      try {
        const aside = await retire(host, id, { signal })
        this.forget(id)
        gone(id, aside)
      } finally {
        await unmounted(id)
      }
    } catch (error) {
      signal.throwIfAborted()
      const one = this.#known.get(id)
      if (one && codeOf(error) !== 'dataset-busy') this.#known.set(id, { ...one, error })
    }
  }
}

async function ownerOf(host: ProjectHost, { project }: Saved): Promise<DivergedProject['takenBy']> {
  const { owner } = project.statics
  if (owner === null || owner === host.host) return undefined
  const row = await host.store.catalogue.readHost(hostId(owner)).catch(() => undefined)
  return { host: owner, name: row?.name ?? '' }
}

/** For people: what has become of it. */
export function divergedText({ id, takenBy, point }: Omit<DivergedProject, 'error'>): string {
  const what = takenBy
    ? `project ${id} was taken by host ${takenBy.name} (${takenBy.host})`
    : `what is open here as project ${id} has left its head`
  return `${what}; what was written here since is side point ${point}`
}
