/** Restores of old points that are under way: one a project at a time, beside whatever is done with the project itself. */
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import { ProjectLocks } from './locks.ts'

export class Restores {
  readonly #locks: ProjectLocks
  readonly #copying = new Map<ProjectId, Guid>()

  constructor(monotonicMs: () => number) {
    this.#locks = new ProjectLocks(monotonicMs)
  }

  /** Of restored points of the project: only one is brought or removed at a time. */
  hold<T>(id: ProjectId, what: string, signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
    return this.#locks.hold(id, what, signal, act)
  }

  /** While `act` copies that snapshot of the project's dataset. */
  async copy<T>(id: ProjectId, snapshot: Guid, act: () => Promise<T>): Promise<T> {
    this.#copying.set(id, snapshot)
    try {
      return await act()
    } finally {
      this.#copying.delete(id)
    }
  }

  /** What is not to be destroyed now: OpenZFS would let whoever tries it wait for the end of the copy. */
  copying(id: ProjectId): Guid | undefined {
    return this.#copying.get(id)
  }
}
