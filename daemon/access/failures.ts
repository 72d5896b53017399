/**
 * Which opens failed lately: a loop in somebody's shell must not become a hammer on the store. Each failure in a row keeps
 * the project closed for twice as long as the one before, but never for long where the cause may be over any moment.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../pipeline/base/clock.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'

export interface Failure {
  readonly error: unknown
  /** In a row, of those that are worth waiting longer for. */
  readonly times: number
  /** On the monotonic clock; before it nobody tries again by himself. */
  readonly untilMs: number
}

const FIRST_MS = 5000
const LONGEST_MS = 300_000
/** What ends by itself, such as a store that does not answer: its users are not kept out for minutes after it has ended. */
const LONGEST_TEMPORARY_MS = 30_000
/**
 * Somebody else ends it, any moment, and a try costs a read of the store or nothing at all: never waited for longer than the first
 * time. With doubling, a project that its other host had let go stayed closed here for up to five minutes.
 */
const SOON_OVER = new Set([
  'owned-elsewhere',
  'takeover-asks',
  'project-busy',
  'project-unknown',
  'project-destroyed',
  'draining',
  'host-lost',
  'host-left',
])
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
    const earlier = before && nowMs < before.untilMs + LONGEST_MS ? before.times : 0
    const times = isSoonOver(error) ? earlier : earlier + 1
    this.#failed.set(id, { error, times, untilMs: nowMs + closedMs(error, times) })
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

const isSoonOver = (error: unknown): boolean => SOON_OVER.has(codeOf(error) ?? '')

function closedMs(error: unknown, times: number): number {
  if (isSoonOver(error)) return FIRST_MS
  const isTemporary = error instanceof TidepoolError && error.temporary
  return Math.min(isTemporary ? LONGEST_TEMPORARY_MS : LONGEST_MS, FIRST_MS * 2 ** (times - 1))
}
