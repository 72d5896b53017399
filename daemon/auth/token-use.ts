/** That a token was used, and from where: told once an hour for each token and place, since a monitor asks every few seconds. */
import { LRUCache } from 'lru-cache'

const TOLD_AGAIN_MS = 3_600_000
/** Past it the longest unused is told again sooner. */
const PLACES = 10_000

export class TokenUse {
  readonly #told: LRUCache<string, number>
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
    this.#told = new LRUCache({ max: PLACES })
  }

  /** Whether this one is worth an entry. */
  note(principal: string, origin: string): boolean {
    const key = `${principal} ${origin}`
    const nowMs = this.#nowMs()
    const toldMs = this.#told.get(key)
    if (toldMs !== undefined && nowMs - toldMs < TOLD_AGAIN_MS) return false
    this.#told.set(key, nowMs)
    return true
  }
}
