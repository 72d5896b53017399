/**
 * What a listing of the root shows, from memory: what is mounted, and what the daemon last said. It is brought up to date behind
 * each look, so that it costs nothing while nobody looks.
 */
import type { Clock } from '../../pipeline/base/clock.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { DaemonClient } from './client.ts'
import type { Browse } from './layer.ts'
import type { Mounted } from './mounted.ts'

/** A look so soon after the last shows the same. */
const FRESH_MS = 5000
/** A list that takes longer than this is given up; the one before stays. */
const LIMIT_MS = 30_000

export class Listing {
  readonly #browse: Browse
  readonly #mounted: Pick<Mounted, 'ids' | 'refresh'>
  readonly #client: Pick<DaemonClient, 'list'>
  readonly #clock: Clock
  #told: readonly ProjectId[] = []
  #askedAtMs = Number.NEGATIVE_INFINITY
  #asking = false

  constructor(
    browse: Browse,
    mounted: Pick<Mounted, 'ids' | 'refresh'>,
    client: Pick<DaemonClient, 'list'>,
    clock: Clock,
  ) {
    this.#browse = browse
    this.#mounted = mounted
    this.#client = client
    this.#clock = clock
  }

  get ids(): ProjectId[] {
    if (this.#browse === 'none') return []
    void this.refresh()
    return [...new Set([...this.#mounted.ids, ...this.#told])]
  }

  /** Also from outside, once a daemon is there: the first look is to show something. Never rejects. */
  async refresh(): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    if (this.#browse === 'none' || this.#asking || nowMs - this.#askedAtMs < FRESH_MS) return
    this.#asking = true
    this.#askedAtMs = nowMs
    try {
      await this.#mounted.refresh()
      this.#told = (await this.#client.list(this.#browse, LIMIT_MS)) ?? this.#told
    } catch {
      // /proc could not be read: the next look tries again.
    } finally {
      this.#asking = false
    }
  }
}
