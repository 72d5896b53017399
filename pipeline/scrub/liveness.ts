/**
 * Whether whoever began a write may still go on with it. A first look alone says so only of hosts that ended, were
 * marked dead, have another session, or were a process of this machine that is gone; of any other, only watching
 * its row on this process's own clock does.
 */
import type { Clock } from '../base/clock.ts'
import type { HostId } from '../base/ids.ts'
import { isGone } from '../base/process.ts'
import type { WriteRow } from '../graph/state.ts'
import type { HostRow, ProcessIdentity } from '../hosts/state.ts'
import { DeathWatch } from '../hosts/take.ts'
import type { CallOptions, Catalogue } from '../stores/contract.ts'

export type Verdict =
  /** `why` for people: `host h1 has ended`. */
  | { readonly fate: 'over'; readonly why: string }
  /** Its row moved while it was watched. */
  | { readonly fate: 'alive' }
  | { readonly fate: 'unknown'; readonly stoodStillMs: number }

export interface LivenessOptions {
  readonly clock: Clock
  /** How long a row must stand still under our eyes. */
  readonly staleAfterMs: number
  readonly isGone?: (identity: ProcessIdentity) => boolean
}

interface Watched {
  readonly session: string | undefined
  readonly renewSeq: bigint | undefined
  readonly sinceMs: number
}

export class Liveness {
  readonly #catalogue: Catalogue
  readonly #clock: Clock
  readonly #staleAfterMs: number
  readonly #isGone: (identity: ProcessIdentity) => boolean
  readonly #watch: DeathWatch
  /** Each host as it was at the first look: that its number has moved since proves life. */
  readonly #first = new Map<HostId, Watched>()

  constructor(catalogue: Catalogue, options: LivenessOptions) {
    this.#catalogue = catalogue
    this.#clock = options.clock
    this.#staleAfterMs = options.staleAfterMs
    this.#isGone = options.isGone ?? isGone
    this.#watch = new DeathWatch(options.clock, options.staleAfterMs)
  }

  /**
   * Reads the host's row now, after the write's row was read: a session is recorded there before its first write,
   * so that a session which differs is always the older one's end.
   */
  async judge(write: Pick<WriteRow, 'host' | 'session'>, options?: CallOptions): Promise<Verdict> {
    const row = await this.#catalogue.readHost(write.host, options)
    const first = this.#firstLook(write.host, row)
    if (!row) return this.#absent(write.host, first)
    const name = `host ${row.host} (${row.name})`
    if (row.state !== 'live')
      return { fate: 'over', why: `${name} ${row.state === 'ended' ? 'has ended' : 'was marked dead'}` }
    if (row.session !== write.session)
      return { fate: 'over', why: `${name} has been started anew since (session ${row.session})` }
    if (row.process && this.#isGone(row.process))
      return { fate: 'over', why: `process ${row.process.pid} of ${name} is gone from this machine` }
    const stoodStillMs = this.#watch.stoodStillMs(row)
    if (stoodStillMs >= this.#staleAfterMs)
      return { fate: 'over', why: `${name} has not renewed itself for ${seconds(stoodStillMs)}` }
    const moved = first.session !== row.session || first.renewSeq !== row.renewSeq
    return moved ? { fate: 'alive' } : { fate: 'unknown', stoodStillMs }
  }

  #firstLook(host: HostId, row: HostRow | undefined): Watched {
    const known = this.#first.get(host)
    if (known) return known
    const first = { session: row?.session, renewSeq: row?.renewSeq, sinceMs: this.#clock.monotonicMs() }
    this.#first.set(host, first)
    return first
  }

  #absent(host: HostId, first: Watched): Verdict {
    const stoodStillMs = this.#clock.monotonicMs() - first.sinceMs
    return stoodStillMs >= this.#staleAfterMs
      ? { fate: 'over', why: `host ${host} is not registered in this store` }
      : { fate: 'unknown', stoodStillMs }
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
