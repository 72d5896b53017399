/**
 * How many retries a store gets on top of its ordinary work: one for every five successes, and ten to begin with.
 *
 * A store that fails under its load must not get more load for it. Whoever finds the budget empty waits, because a
 * stream that gives up costs far more than one that is late.
 */
import type { Clock } from '../base/clock.ts'
import { type Gate, Line } from './line.ts'

/** Whole numbers, because a fifth has no exact double: a success is worth 1, a retry costs 5. */
const RETRY_COST = 5
const FULL = 10 * RETRY_COST
/** With an empty budget and no successes, all would wait for each other until their deadlines. */
const TRICKLE_MS = 1000

export class RetryBudget {
  #units = FULL
  #passedMs = Number.NEGATIVE_INFINITY
  readonly #line: Line

  constructor(clock: Clock) {
    const gate: Gate = {
      tryPass: (nowMs) => this.#tryTake(nowMs),
      opensMs: () => this.#passedMs + TRICKLE_MS,
      giveBack: () => this.#add(RETRY_COST),
    }
    this.#line = new Line(clock, gate)
  }

  get state(): { readonly retries: number; readonly waiting: number } {
    return { retries: this.#units / RETRY_COST, waiting: this.#line.waiting }
  }

  /** True once one more retry may be made; false when `untilMs` came first; rejects with the signal's reason. */
  take(untilMs: number, signal?: AbortSignal): Promise<boolean> {
    return this.#line.pass(untilMs, signal)
  }

  /**
   * A retry that succeeded gives back what it cost, so that all who waited through an outage follow each other at
   * once instead of at one a second; only retries that fail are load without a use.
   */
  succeeded({ retried }: { retried: boolean }): void {
    this.#add(retried ? 1 + RETRY_COST : 1)
  }

  #add(units: number): void {
    this.#units = Math.min(FULL, this.#units + units)
    this.#line.letThrough()
  }

  #tryTake(nowMs: number): boolean {
    if (this.#units >= RETRY_COST) this.#units -= RETRY_COST
    else if (nowMs < this.#passedMs + TRICKLE_MS) return false
    this.#passedMs = nowMs
    return true
  }
}
