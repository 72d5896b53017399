/**
 * How many pieces of work the store should have at once: a state machine over what each attempt took.
 *
 * Windowed AIMD (additive increase, multiplicative decrease) with a latency guard. In simulations (8 workers of
 * 20 ms, 120 s, a sender that always has more) plain AIMD climbed to its maximum and a p50 of 800 ms because nothing
 * was refused; a gradient on latency left a third of 32 workers idle; this one kept full throughput in every case
 * tried at a p99 of 134 ms. A guard at 2 or 3 times the least latency starves itself, at 4 it does not.
 */
import { Latency } from './latency.ts'

export interface AimdSettings {
  readonly start: number
  readonly min: number
  readonly max: number
  /**
   * Slowness alone cuts no lower than this; overload does. One node on a machine of its own answers a lone read in a few
   * milliseconds, so four times the least is reached long before it is busy: in alternating runs it gave 239 MiB/s under
   * the guard and 349 with 32 chunks of 512 KiB always under way.
   * @default min
   */
  readonly latencyMin?: number
}

export interface Attempt {
  readonly elapsedMs: number
  readonly outcome: 'ok' | 'overload' | 'error'
  /**
   * Work of different kinds is never compared with each other. In a simulation without this, reads of 2 ms made the
   * writes of 20 ms that came after them look slow: 50 a second for more than four minutes, where 400 were possible.
   */
  readonly kind?: string
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
/** Far more than reading and writing at each chunk size in use; the one that was first seen goes. */
const MOST_KINDS = 32

export class Aimd {
  readonly #min: number
  readonly #max: number
  readonly #latencyMin: number
  readonly #kinds = new Map<string, Latency>()
  #limit: number
  #slowStart = true
  #medianMs = 0
  #cutMs = Number.NEGATIVE_INFINITY
  #overloadMs = Number.NEGATIVE_INFINITY

  constructor({ start, min, max, latencyMin = min }: AimdSettings = AIMD_DEFAULTS) {
    if (![start, min, max].every(Number.isSafeInteger) || !(1 <= min && min <= start && start <= max))
      throw new RangeError(`a limit from ${min} to ${max} that starts at ${start} makes no sense`)
    this.#min = min
    this.#max = max
    this.#latencyMin = Math.max(min, latencyMin)
    this.#limit = start
  }

  get limit(): number {
    return this.#limit
  }

  /** `inFlight` counts the attempt itself. */
  observe({ elapsedMs, outcome, kind = '' }: Attempt, inFlight: number, nowMs: number): void {
    if (outcome === 'overload') this.#onOverload(nowMs)
    // What failed says nothing about speed: a refusal within a millisecond would become the least latency.
    if (outcome !== 'ok') return
    const latency = this.#latencyOf(kind)
    latency.add(elapsedMs, inFlight / this.#limit)
    if (latency.count >= Math.max(LEAST_WINDOW, this.#limit)) this.#onWindow(latency, nowMs)
  }

  #latencyOf(kind: string): Latency {
    const known = this.#kinds.get(kind)
    if (known) return known
    const latency = new Latency()
    for (const oldest of this.#kinds.keys()) {
      if (this.#kinds.size < MOST_KINDS) break
      this.#kinds.delete(oldest)
    }
    this.#kinds.set(kind, latency)
    return latency
  }

  #onOverload(nowMs: number): void {
    // One overload refuses many requests at once; they are one event, until those sent since had time to come back.
    if (nowMs - this.#overloadMs < Math.max(OVERLOAD_PAUSE_MS, this.#medianMs)) return
    this.#overloadMs = nowMs
    this.#cut(OVERLOAD_FACTOR, nowMs, this.#min)
  }

  #onWindow(latency: Latency, nowMs: number): void {
    const { medianMs, leastMs, utilisation } = latency.judge(nowMs)
    this.#medianMs = medianMs
    if (medianMs > TOLERATED_SLOWDOWN * leastMs) {
      if (nowMs - this.#cutMs >= SLOW_PAUSE_MS)
        this.#cut(SLOW_FACTOR, nowMs, Math.min(this.#limit, this.#latencyMin))
    } else if (utilisation >= LEAST_UTILISATION) {
      this.#limit = Math.min(this.#max, this.#slowStart ? this.#limit * 2 : this.#limit + 1)
    }
  }

  #cut(factor: number, nowMs: number, lowest: number): void {
    this.#cutMs = nowMs
    this.#slowStart = false
    this.#limit = Math.max(lowest, Math.floor(this.#limit * factor))
    // What was measured under the old limit says little about the new one.
    for (const latency of this.#kinds.values()) latency.begin()
  }
}
