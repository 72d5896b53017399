/**
 * Which opens failed lately: a loop in somebody's shell must not become a hammer on the store. Each failure in a row keeps
 * the project closed for twice as long as the one before.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../pipeline/base/clock.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'

export interface Failure {
  readonly error: unknown
  /** In a row. */
  readonly times: number
  /** On the monotonic clock; before it nobody tries again by himself. */
  readonly untilMs: number
}

const FIRST_MS = 5000
const LONGEST_MS = 300_000
/** Anybody may ask for names that nobody has. */
const MAX_KNOWN = 10_000

export class Failures {
  readonly #clock: Clock
  readonly #failed = new LRUCache<ProjectId, Failure>({ max: MAX_KNOWN })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note(id: ProjectId, error: unknown): void {
    const nowMs = this.#clock.monotonicMs()
    const before = this.#failed.get(id)
    // One that is long over says nothing about this one.
    const times = before && nowMs < before.untilMs + LONGEST_MS ? before.times + 1 : 1
    const untilMs = nowMs + Math.min(LONGEST_MS, FIRST_MS * 2 ** (times - 1))
    this.#failed.set(id, { error, times, untilMs })
  }

  /** The last one, while it keeps others from trying. */
  inForce(id: ProjectId): Failure | undefined {
    const failed = this.#failed.get(id)
    return failed && this.#clock.monotonicMs() < failed.untilMs ? failed : undefined
  }

  forget(id: ProjectId): void {
    this.#failed.delete(id)
  }

  clear(): void {
    this.#failed.clear()
  }
}
