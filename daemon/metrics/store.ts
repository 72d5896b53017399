/** Counts the calls on the store, and those that were tried again. */
import { STORE_CALLS, type StoreAttempt } from '../../pipeline/stores/retrying.ts'
import type { Maker } from './make.ts'

export class StoreMetrics {
  readonly #retries
  readonly #failures

  constructor(make: Maker) {
    this.#retries = make.counter('store_retries_total', 'Calls on the store that were tried again', {
      call: STORE_CALLS,
    })
    this.#failures = make.counter('store_failures_total', 'Tries of calls on the store that failed', {
      call: STORE_CALLS,
    })
  }

  note({ call, attempt, error }: StoreAttempt): void {
    if (attempt > 1) this.#retries.inc({ call })
    if (error !== undefined) this.#failures.inc({ call })
  }
}
