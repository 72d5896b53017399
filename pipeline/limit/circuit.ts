/** Holds the work on a store back while it answers nothing at all, but for one probe a second. */
import type { Clock } from '../base/clock.ts'
import { type Gate, Line } from './line.ts'

const SILENCE_MS = 30_000
const PROBE_MS = 1000

export class Circuit {
  readonly #clock: Clock
  readonly #line: Line
  /** The first failure since the last success: a store that nobody asked for an hour is not silent. */
  #failingSinceMs: number | undefined
  #lastError: unknown
  #probedMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
    const gate: Gate = {
      tryPass: (nowMs) => this.#tryPass(nowMs),
      opensMs: () => this.#probedMs + PROBE_MS,
      giveBack: () => {},
    }
    this.#line = new Line(clock, gate)
  }

  /** How long the store has answered nothing but failures, and with what; nothing where its last answer was good. */
  get silence(): { readonly ms: number; readonly error: unknown } | undefined {
    if (this.#failingSinceMs === undefined) return undefined
    return { ms: this.#clock.monotonicMs() - this.#failingSinceMs, error: this.#lastError }
  }

  get waiting(): number {
    return this.#line.waiting
  }

  /** True once an attempt may be made; false when `untilMs` came first; rejects with the signal's reason. */
  pass(untilMs: number, signal?: AbortSignal): Promise<boolean> {
    return this.#line.pass(untilMs, signal)
  }

  succeeded(): void {
    this.#failingSinceMs = undefined
    this.#lastError = undefined
    this.#line.letThrough()
  }

  failed(error: unknown): void {
    this.#failingSinceMs ??= this.#clock.monotonicMs()
    this.#lastError = error
  }

  #tryPass(nowMs: number): boolean {
    if (this.#failingSinceMs === undefined || nowMs - this.#failingSinceMs < SILENCE_MS) return true
    if (nowMs < this.#probedMs + PROBE_MS) return false
    this.#probedMs = nowMs
    return true
  }
}
