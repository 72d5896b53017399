/**
 * Answers by the key that a caller drew for his request (`Idempotency-Key`): asked again with the same key and body he gets the same
 * answer, also while the first is still worked on. They are kept in memory, for a day at most; another start of the daemon
 * begins with none.
 */
import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { statusOf } from './errors.ts'
import type { Work } from './work.ts'

interface Known {
  readonly print: string
  readonly work: Work
}

const MAX_KEPT = 2000
const KEPT_MS = 24 * 3_600_000
const KEY = /^[\x21-\x7e]{1,255}$/

export class Answers {
  readonly #running = new Map<string, Known>()
  readonly #kept: LRUCache<string, Known>

  constructor({
    max = MAX_KEPT,
    keptMs = KEPT_MS,
  }: { readonly max?: number; readonly keptMs?: number } = {}) {
    this.#kept = new LRUCache({ max, ttl: keptMs })
  }

  /** Throws `key-reused` where the same principal asked for something else with that key. */
  of(principal: string, key: string, print: string, begin: () => Work): Work {
    if (!KEY.test(key))
      throw new TidepoolError('bad-request', 'Idempotency-Key has 1 to 255 visible ASCII characters', {
        hint: 'Draw a UUID for each request, and send it again with each repetition.',
      })
    const whole = `${key} ${principal}`
    const known = this.#running.get(whole) ?? this.#kept.get(whole)
    if (known && !known.work.cancelled) {
      if (known.print === print) return known.work
      throw new TidepoolError('key-reused', 'another request was made with this Idempotency-Key', {
        hint: 'Draw a new key for each request; repeat one unchanged.',
      })
    }
    const one = { print, work: begin() }
    this.#running.set(whole, one)
    const ended = (keep: boolean): void => {
      if (this.#running.get(whole) !== one) return
      this.#running.delete(whole)
      if (keep) this.#kept.set(whole, one)
    }
    one.work.answer.then(
      () => ended(true),
      (error) => ended(isFinal(error)),
    )
    return one.work
  }
}

/** What a repetition may change is tried again by it. */
const isFinal = (error: unknown): boolean =>
  error instanceof TidepoolError && !error.temporary && statusOf(error) < 500

/** Tells requests apart; a repetition sends the same bytes. */
export const printOf = (method: string, url: string, body: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify([method, url, body ?? null]))
    .digest('base64')
