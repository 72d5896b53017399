/** One line on a terminal that says how far a transfer is; nothing at all in a pipe. */
import type { Writable } from 'node:stream'
import type { Clock } from '../../pipeline/base/clock.ts'
import { humanBytes } from '../../pipeline/base/units.ts'
import type { Limiter, LimiterState } from '../../pipeline/limit/limiter.ts'

export interface ProgressState {
  readonly what: string
  readonly doneBytes: bigint
  readonly totalBytes: bigint | undefined
  readonly bytesPerSecond: number
  readonly limiter: LimiterState
}

export function progressLine(state: ProgressState): string {
  const { what, doneBytes, totalBytes, bytesPerSecond, limiter } = state
  const parts = [`${what}  ${humanBytes(doneBytes)}`]
  if (totalBytes !== undefined && totalBytes > 0n) {
    const percent = Math.min(100, Math.floor((Number(doneBytes) / Number(totalBytes)) * 100))
    parts[0] += ` of ${humanBytes(totalBytes)} (${percent} %)`
  }
  parts.push(`${humanBytes(bytesPerSecond)}/s`)
  if (totalBytes !== undefined && bytesPerSecond > 0 && totalBytes > doneBytes)
    parts.push(`${humanDuration((Number(totalBytes - doneBytes) / bytesPerSecond) * 1000)} left`)
  parts.push(`${limiter.inFlight} in flight (${humanBytes(limiter.inFlightBytes)}), limit ${limiter.limit}`)
  return parts.join('  ')
}

/** `8 s`, `3 min 20 s`, `5 h 12 min`. */
export function humanDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export interface ProgressOptions {
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly clock: Clock
  readonly limiter: Limiter
}

const REDRAW_MS = 250
/** The rate is that of the last few seconds: what it was an hour ago says nothing about when this will end. */
const RATE_WINDOW_MS = 5000
const CLEAR = '\r\u001b[K'

export class Progress {
  readonly #options: ProgressOptions
  readonly #what: string
  readonly #totalBytes: bigint | undefined
  readonly #timer: NodeJS.Timeout | undefined
  #doneBytes = 0n
  #samples: { atMs: number; bytes: bigint }[] = []

  constructor(what: string, totalBytes: bigint | undefined, options: ProgressOptions) {
    this.#what = what
    this.#totalBytes = totalBytes
    this.#options = options
    if (!options.stderr.isTTY) return
    this.#draw()
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS)
    this.#timer.unref()
  }

  update(doneBytes: bigint): void {
    this.#doneBytes = doneBytes
  }

  /** Takes the line away. May be called twice. */
  end(): void {
    clearInterval(this.#timer)
    if (this.#options.stderr.isTTY) this.#options.stderr.write(CLEAR)
  }

  #draw(): void {
    const { stderr, clock, limiter } = this.#options
    const atMs = clock.monotonicMs()
    this.#samples.push({ atMs, bytes: this.#doneBytes })
    this.#samples = this.#samples.filter((sample) => sample.atMs >= atMs - RATE_WINDOW_MS)
    const oldest = this.#samples[0] ?? { atMs, bytes: 0n }
    const seconds = (atMs - oldest.atMs) / 1000
    const bytesPerSecond = seconds > 0 ? Number(this.#doneBytes - oldest.bytes) / seconds : 0
    const line = progressLine({
      what: this.#what,
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      bytesPerSecond,
      limiter: limiter.state,
    })
    // A line that wraps could not be taken away again.
    stderr.write(`${CLEAR}${line.slice(0, (stderr.columns ?? 80) - 1)}`)
  }
}
