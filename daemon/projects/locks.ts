/** One act a project at a time in this process; the others wait in the order in which they came. */
import type { ProjectId } from '../../pipeline/base/ids.ts'

interface Waiter {
  readonly what: string
  readonly turn: () => void
}

interface Held {
  what: string
  sinceMs: number
  readonly waiting: Set<Waiter>
}

export interface LockState {
  /** What is being done with the project, since when, and what waits for it. */
  readonly what: string
  readonly forMs: number
  readonly waiting: readonly string[]
}

export class ProjectLocks {
  readonly #held = new Map<ProjectId, Held>()
  readonly #now: () => number
  readonly #refuse: (id: ProjectId) => void

  /** `refuse` throws where nothing may be done with a project now. */
  constructor(monotonicMs: () => number, refuse: (id: ProjectId) => void = () => {}) {
    this.#now = monotonicMs
    this.#refuse = refuse
  }

  /** Runs `act` alone on the project; rejects with the signal's reason where that fires while waiting. */
  async hold<T>(
    id: ProjectId,
    what: string,
    signal: AbortSignal | undefined,
    act: () => Promise<T>,
  ): Promise<T> {
    await this.#enter(id, what, signal)
    try {
      this.#refuse(id)
      return await act()
    } finally {
      this.#leave(id)
    }
  }

  /** Undefined where nobody does anything with it. */
  state(id: ProjectId): LockState | undefined {
    const held = this.#held.get(id)
    return (
      held && {
        what: held.what,
        forMs: this.#now() - held.sinceMs,
        waiting: [...held.waiting].map((waiter) => waiter.what),
      }
    )
  }

  get busy(): ProjectId[] {
    return [...this.#held.keys()]
  }

  async #enter(id: ProjectId, what: string, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    const held = this.#held.get(id)
    if (!held) {
      this.#held.set(id, { what, sinceMs: this.#now(), waiting: new Set() })
      return
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        held.waiting.delete(waiter)
        reject(signal?.reason)
      }
      const waiter: Waiter = {
        what,
        turn: () => {
          signal?.removeEventListener('abort', onAbort)
          held.what = what
          held.sinceMs = this.#now()
          resolve()
        },
      }
      held.waiting.add(waiter)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  #leave(id: ProjectId): void {
    const held = this.#held.get(id)
    const [next] = held?.waiting ?? []
    if (!held || !next) {
      this.#held.delete(id)
      return
    }
    held.waiting.delete(next)
    next.turn() // the place goes from hand to hand
  }
}
