/** A clock that moves only when a test says so, counts who sleeps on it, and wakes them one at a time in order. */
import type { Clock } from '../../pipeline/base/clock.ts'

interface Sleeper {
  readonly dueMs: number
  readonly order: number
  readonly wake: () => void
}

const WALL_START_MS = Date.UTC(2026, 0, 1)

/** Lets everything run that waits for neither time nor the outside world. */
export function settle(): Promise<void> {
  // Node empties the queues of ticks and of promises, however long, before it turns to immediates.
  // And Node 20 was seen to end with an immediate still to come, once thousands of unreferenced timers
  // (`AbortSignal.timeout`) had come and gone: a referenced one holds it.
  return new Promise((resolve) => {
    const hold = setTimeout(() => {}, 60_000)
    setImmediate(() => {
      clearTimeout(hold)
      resolve()
    })
  })
}

export class ManualClock implements Clock {
  #nowMs = 0
  #order = 0
  /** Soonest last, so that waking is a pop. */
  readonly #sleepers: Sleeper[] = []

  /** How many sleep now. Zero after a call that cleaned up behind itself. */
  get pendingSleeps(): number {
    return this.#sleepers.length
  }

  /** Milliseconds until the next sleeper is due, or undefined where nobody sleeps. */
  get nextDueMs(): number | undefined {
    const next = this.#sleepers.at(-1)
    return next && Math.max(0, next.dueMs - this.#nowMs)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return WALL_START_MS + this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      if (!(ms >= 0)) throw new RangeError(`nobody can sleep ${ms} ms`)
      const onAbort = (): void => {
        this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1)
        reject(signal?.reason)
      }
      const sleeper: Sleeper = {
        dueMs: this.#nowMs + ms,
        order: this.#order++,
        wake: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#insert(sleeper)
    })
  }

  /** Moves on by `ms`, wakes whoever is due meanwhile at its own moment, and lets each do what it does then. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    await settle()
    for (let next = this.#sleepers.at(-1); next && next.dueMs <= endMs; next = this.#sleepers.at(-1)) {
      this.#sleepers.pop()
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.wake()
      await settle()
    }
    this.#nowMs = endMs
  }

  /** Moves from sleeper to sleeper until the work has settled, and fails where it waits and nobody sleeps. */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false
    const mark = (): void => {
      settled = true
    }
    work.then(mark, mark)
    await settle()
    while (!settled) {
      const nextMs = this.nextDueMs
      if (nextMs === undefined)
        throw new Error('the work waits for something, and nobody sleeps on this clock')
      await this.advance(nextMs)
    }
    return work
  }

  #insert(sleeper: Sleeper): void {
    let low = 0
    let high = this.#sleepers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.#sleepers[middle]
      // Of two that are due together the one that lay down first wakes first.
      if (other && other.dueMs > sleeper.dueMs) low = middle + 1
      else high = middle
    }
    this.#sleepers.splice(low, 0, sleeper)
  }
}
