/** One line a look at the pool that did something: what left and why, and what should have and did not, told when that changes. */
import { codeOf } from '../../pipeline/base/errors.ts'
import type { Sweep } from '../projects/sweep.ts'
import { errorFields } from './lines.ts'
import type { Log } from './log.ts'

/** Of each list, by name; the others by their number. */
const NAMED = 20

export class SweepLines {
  readonly #log: Log
  #refused = ''
  #failed = ''

  constructor(log: Log) {
    this.#log = log
  }

  swept({ evicted, unmounted, refused, shortOfBytes, tooMany }: Sweep): void {
    this.#failed = ''
    const stuck = refused.map(({ id, why, error }) => ({ id, why, because: codeOf(error) ?? 'unexpected' }))
    // What is stuck stays so for a while, and is looked at twice a minute.
    const before = this.#refused
    this.#refused = JSON.stringify([stuck, tooMany])
    const isNews = stuck.length > 0 && this.#refused !== before
    if (evicted.length === 0 && unmounted.length === 0 && !isNews) return
    const about = {
      event: 'sweep',
      evicted: evicted.slice(0, NAMED),
      unmounted: unmounted.slice(0, NAMED),
      refused: stuck.slice(0, NAMED),
      shortOfBytes: Number(shortOfBytes),
      tooMany,
    }
    const text = `${evicted.length} left the pool, ${unmounted.length} unmounted, ${stuck.length} could not be`
    if (stuck.length > 0) this.#log.warn(about, text)
    else this.#log.info(about, text)
  }

  /** A look that did not come to its end; each one fails for itself while the reason lasts. */
  failed(error: unknown): void {
    const fields = errorFields(error)
    if (fields.message === this.#failed) return
    this.#failed = fields.message
    this.#log.warn({ event: 'sweep-failed', error: fields }, 'the pool could not be looked at')
  }
}
