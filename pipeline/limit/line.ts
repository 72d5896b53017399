/** Waiting in line before a gate that opens when something happens, or by itself when its time comes. */
import { LinkedAbort } from '../base/abort.ts'
import type { Clock } from '../base/clock.ts'
import { Fifo } from './fifo.ts'

export interface Gate {
  /** Lets one through, where it is open now. */
  tryPass(nowMs: number): boolean
  /** When it lets the next one through even if nothing happens before. */
  opensMs(nowMs: number): number
  /** Somebody who was let through did not go. */
  giveBack(): void
}

interface Waiter {
  readonly waking: LinkedAbort
  passed: boolean
}

export class Line {
  readonly #clock: Clock
  readonly #gate: Gate
  readonly #waiters = new Fifo<Waiter>()

  constructor(clock: Clock, gate: Gate) {
    this.#clock = clock
    this.#gate = gate
  }

  get waiting(): number {
    return this.#waiters.size
  }

  /**
   * True once it was let through, in the order of coming; false when `untilMs` came first. Rejects with the signal's
   * reason when that fires, and leaves neither place, timer nor listener behind.
   */
  async pass(untilMs: number, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted()
    if (this.#waiters.size === 0 && this.#gate.tryPass(this.#clock.monotonicMs())) return true
    const waiter: Waiter = { waking: new LinkedAbort(signal), passed: false }
    const place = this.#waiters.add(waiter)
    try {
      for (let nowMs = this.#clock.monotonicMs(); !waiter.passed; nowMs = this.#clock.monotonicMs()) {
        if (nowMs >= untilMs) return false
        await this.#nap(Math.min(untilMs, this.#gate.opensMs(nowMs)) - nowMs, waiter.waking.signal)
        if (signal?.aborted) {
          if (waiter.passed) this.#gate.giveBack()
          throw signal.reason
        }
        this.letThrough()
      }
      return true
    } finally {
      waiter.waking.leave()
      this.#waiters.remove(place)
    }
  }

  /** Call it whenever the gate may have opened. */
  letThrough(): void {
    for (;;) {
      const first = this.#waiters.first
      if (!first || !this.#gate.tryPass(this.#clock.monotonicMs())) return
      this.#waiters.shift()
      first.passed = true
      first.waking.abort(undefined)
    }
  }

  /** Every waiter has a timer of its own, and whoever's fires first lets the first in line through. */
  async #nap(ms: number, waking: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(Math.max(0, ms), waking)
    } catch (error) {
      if (!waking.aborted) throw error
    }
  }
}
