/** What one kind of work on a store takes now, as a window of answers, and the least that it takes at all. */

/**
 * The least may creep up, so that a store that became slower for good is not starved for good. It also means that the
 * guard fades under hours of saturation (one worker of 100 ms: a median of 3 s after ten minutes); what bounds the
 * queue then is the budget of bytes, and that the store says when it is overloaded.
 */
const DRIFT_FACTOR = 1.25
const DRIFT_MS = 60_000
/** Below this, differences are noise of ours and no queue of the store's. */
const LEAST_LATENCY_MS = 1

export interface Judgement {
  readonly medianMs: number
  readonly leastMs: number
  /** How much of what might be in flight was; above 1 while the limit is cut and what was sent before comes back. */
  readonly utilisation: number
}

export class Latency {
  #window: number[] = []
  #utilisationSum = 0
  #leastMs = Number.POSITIVE_INFINITY
  #leastSinceMs = 0

  get count(): number {
    return this.#window.length
  }

  add(elapsedMs: number, utilisation: number): void {
    this.#window.push(elapsedMs)
    this.#utilisationSum += utilisation
  }

  /** Sums the window up, learns from it, and begins the next. */
  judge(nowMs: number): Judgement {
    const medianMs = medianOf(this.#window)
    const utilisation = this.#utilisationSum / this.#window.length
    this.begin()
    this.#learn(medianMs, nowMs)
    return { medianMs, leastMs: this.#leastMs, utilisation }
  }

  begin(): void {
    this.#window = []
    this.#utilisationSum = 0
  }

  #learn(medianMs: number, nowMs: number): void {
    const drifts = Math.floor((nowMs - this.#leastSinceMs) / DRIFT_MS)
    this.#leastMs *= DRIFT_FACTOR ** drifts
    this.#leastSinceMs += drifts * DRIFT_MS
    const leastMs = Math.max(LEAST_LATENCY_MS, medianMs)
    if (leastMs > this.#leastMs) return
    this.#leastMs = leastMs
    this.#leastSinceMs = nowMs
  }
}

/** The upper of the two in the middle where there are two. */
function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[sorted.length >>> 1] ?? 0
}
