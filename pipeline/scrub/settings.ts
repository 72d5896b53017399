/** What a scrub may be told, each default with its reason, and what its parts share while it runs. */
import { type Clock, systemClock } from '../base/clock.ts'
import type { NeededOptions } from '../graph/needed.ts'
import { TAKEOVER_AFTER_MS } from '../hosts/heartbeat.ts'
import type { ProcessIdentity } from '../hosts/state.ts'
import { fixedLimiter, type Limiter } from '../limit/limiter.ts'
import type { Store } from '../stores/contract.ts'
import type { Budget } from './budget.ts'
import type { Depth } from './findings.ts'
import type { Liveness } from './liveness.ts'
import type { Progress, ScrubProgress } from './progress.ts'
import type { SpoiledProjects } from './spoiled.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export interface ScrubOptions {
  readonly depth: Depth
  /** False, the default: findings say what would be done, and nothing is. */
  readonly apply?: boolean
  readonly signal?: AbortSignal
  readonly clock?: Clock
  /** How long a host's row must stand still before its writes count as left: 0 ends every write in progress. */
  readonly staleAfterMs?: number
  /** How long a superseded write keeps its chunks for those who are just reading it. */
  readonly supersededGraceMs?: number
  /** How long a destroyed project can be had back. */
  readonly purgeAfterMs?: number
  /** How long the row of an ended write stays, for people who ask what became of it. */
  readonly forgetAfterMs?: number
  /** How far apart the two looks at an orphan are at least: whatever lags behind has caught up by then. */
  readonly orphanAgeMs?: number
  /** The most that one run takes away, as a share of the live bytes: a lost catalogue must not delete a store. 1: no brake. */
  readonly maxDeleteShare?: number
  /** Which part of the chunks `deep` reads, from 0 to 1. */
  readonly sample?: number
  /** Which chunks a sample takes: the same with the same seed. */
  readonly seed?: string
  /** Shared with other work on the store, where there is other work. */
  readonly limiter?: Limiter
  readonly retention?: NeededOptions
  readonly checkpointEveryMs?: number
  /** Called often; cheap things only. */
  readonly onProgress?: (progress: ScrubProgress) => void
  readonly isGone?: (identity: ProcessIdentity) => boolean
}

/** The same for a day, so that a sample that was cut short can be gone on with. */
export const seedOfDay = (wallMs: number): string => new Date(wallMs).toISOString().slice(0, 10)

export interface Settings {
  readonly depth: Depth
  readonly apply: boolean
  readonly signal: AbortSignal | undefined
  readonly clock: Clock
  readonly staleAfterMs: number
  readonly supersededGraceMs: number
  readonly purgeAfterMs: number
  readonly forgetAfterMs: number
  readonly orphanAgeMs: number
  readonly maxDeleteShare: number
  readonly sample: number
  readonly seed: string
  readonly limiter: Limiter
  readonly retention: NeededOptions
  readonly checkpointEveryMs: number
}

/** What the parts of one run share. */
export interface Run extends Settings {
  readonly store: Store
  readonly liveness: Liveness
  readonly budget: Budget
  readonly spoiled: SpoiledProjects
  readonly progress: Progress
}

export function settingsOf(options: ScrubOptions): Settings {
  return {
    depth: options.depth,
    apply: options.apply ?? false,
    signal: options.signal,
    clock: options.clock ?? systemClock,
    staleAfterMs: options.staleAfterMs ?? TAKEOVER_AFTER_MS,
    supersededGraceMs: options.supersededGraceMs ?? DAY_MS,
    purgeAfterMs: options.purgeAfterMs ?? 30 * DAY_MS,
    forgetAfterMs: options.forgetAfterMs ?? 30 * DAY_MS,
    orphanAgeMs: options.orphanAgeMs ?? HOUR_MS,
    maxDeleteShare: options.maxDeleteShare ?? 0.05,
    sample: options.sample ?? 1,
    seed: options.seed ?? 'scrub',
    limiter: options.limiter ?? fixedLimiter({ count: 8, maxBytes: 32 * 1024 * 1024 }),
    retention: options.retention ?? {},
    // A crash repeats this much at most; a note is one small write.
    checkpointEveryMs: options.checkpointEveryMs ?? 5_000,
  }
}
