/** A server of so many workers in virtual time: requests queue for them, and it can stall. */
import type { Clock } from '../../pipeline/base/clock.ts'

export interface FakeServerOptions {
  readonly clock: Clock
  readonly workers: number
  /** What the next request takes on a worker. */
  readonly serviceMs: () => number
  /** No worker goes on with anything between these two moments. */
  readonly stall?: { readonly fromMs: number; readonly toMs: number }
}

export class FakeServer {
  readonly #options: FakeServerOptions
  /** When each worker is done with all it was given so far. */
  readonly #freeAtMs: number[]

  constructor(options: FakeServerOptions) {
    this.#options = options
    this.#freeAtMs = Array.from({ length: options.workers }, () => 0)
  }

  /** Resolves when the request was served, first come, first served. */
  async serve(): Promise<void> {
    const { clock, serviceMs, stall } = this.#options
    const nowMs = clock.monotonicMs()
    const soonest = this.#freeAtMs.indexOf(Math.min(...this.#freeAtMs))
    let doneMs = Math.max(nowMs, this.#freeAtMs[soonest] ?? 0)
    if (stall && doneMs >= stall.fromMs && doneMs < stall.toMs) doneMs = stall.toMs
    const beginMs = doneMs
    doneMs += serviceMs()
    if (stall && beginMs < stall.fromMs && doneMs > stall.fromMs) doneMs += stall.toMs - stall.fromMs
    this.#freeAtMs[soonest] = doneMs
    await clock.sleep(doneMs - nowMs)
  }
}
