/** Counts the acts on projects that have ended, and where the time of opens went. */
import { type Act, OPEN_PHASES } from '../projects/acts.ts'
import type { Maker } from './make.ts'

export class ActMetrics {
  readonly #acts
  readonly #seconds
  readonly #phases
  readonly #savedBytes
  readonly #receivedBytes
  readonly #evictions

  constructor(make: Maker) {
    this.#acts = make.counter('acts_total', 'Acts on projects that have ended', { act: [], result: [] })
    this.#seconds = make.seconds('act_seconds', 'How long acts on projects took', { act: [] })
    this.#phases = make.seconds('open_phase_seconds', 'Where the time of opens went', { phase: OPEN_PHASES })
    this.#savedBytes = make.counter('saved_bytes_total', 'Bytes of streams that saves have stored')
    this.#receivedBytes = make.counter('received_bytes_total', 'Bytes of streams that opens have received')
    this.#evictions = make.counter('evictions_total', 'Projects that left the pool', {
      reason: ['space', 'number', 'idle', 'drain', 'asked'],
    })
  }

  note({ what, error, result, tookMs, bytes = 0n, phases = {}, why }: Act): void {
    this.#acts.inc({ act: what, result: error === undefined ? (result ?? 'done') : 'failed' })
    this.#seconds.observe({ act: what }, tookMs / 1000)
    for (const [phase, ms] of Object.entries(phases)) this.#phases.observe({ phase }, ms / 1000)
    if (error !== undefined) return
    if (what === 'save') this.#savedBytes.inc(Number(bytes))
    if (what === 'open') this.#receivedBytes.inc(Number(bytes))
    if (what === 'evict') this.#evictions.inc({ reason: why ?? 'asked' })
  }
}
