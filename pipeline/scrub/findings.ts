/** What a scrub says: one typed finding at a time while it goes on, and a summary at its end. */
import type { HostId, ProjectId, WriteId } from '../base/ids.ts'

/** How deep a scrub looks; each depth does what the one before it does too. */
export type Depth = 'stale' | 'present' | 'deep'

/** `none`: there is nothing that a scrub could or may do. `would-…`: it does so when it is told to apply. */
export type Action =
  | 'none'
  | 'would-abort'
  | 'would-remove'
  | 'would-supersede'
  | 'would-forget'
  | 'would-purge'
  | 'done'

interface Common {
  readonly project: ProjectId | null
  readonly writeId: WriteId | null
  /** A whole sentence for a person. */
  readonly message: string
  /** What to do next, where there is something for a person to do. */
  readonly hint?: string
  readonly action: Action
}

/** A write or project that has gone its way as far as it should, and is brought one step further. */
export type CleaningKind =
  /** Was begun by a host that is no more. */
  | 'stale-write'
  /** The list of writes in progress still names a write whose fate is sealed. */
  | 'stale-entry'
  /** Ended, and its chunks may not all have gone. */
  | 'unfinished-removal'
  /** Superseded longer ago than its grace. */
  | 'superseded-expired'
  /** No kept point needs it. */
  | 'superfluous-write'
  /** The row of a write that ended long ago. */
  | 'row-expired'
  /** Destroyed longer ago than it can be had back. */
  | 'project-expired'
  /** A purge that stopped half-way. */
  | 'unfinished-purge'
  /** Stored, and absent from the catalogue. */
  | 'orphan'

export type DamageKind =
  | 'chunk-missing'
  | 'chunk-damaged'
  | 'root-mismatch'
  | 'manifest-unreadable'
  | 'head-unreachable'

export interface CleaningFinding extends Common {
  readonly kind: CleaningKind
  /** How much goes with it, as far as that is known. */
  readonly bytes: bigint | null
}

export interface DamageFinding extends Common {
  readonly kind: DamageKind
  readonly action: 'none'
  /** The first of them, in order. */
  readonly chunks: readonly number[]
  readonly chunkCount: number
}

export interface NoteFinding extends Common {
  readonly kind: /** A host may be alive: it is watched until it renews itself or has stood still for long enough. */
    | 'host-watched'
    /** Chunks that only a careful look found: a copy lacks them, the store's own repair brings them back. */
    | 'chunk-late'
    /** It says neither of whom nor of what it is: never touched. */
    | 'unknown-entry'
  readonly action: 'none'
  readonly host?: HostId
  readonly chunkCount?: number
}

/** Could not be looked at: nothing of it is deleted in this run. */
export interface UncheckedFinding extends Common {
  readonly kind: 'unchecked'
  readonly action: 'none'
  readonly error: unknown
}

export interface StoppedFinding extends Common {
  readonly kind: 'stopped-for-safety'
  readonly action: 'none'
  readonly wantedBytes: bigint
  readonly allowedBytes: bigint
}

export type Finding = CleaningFinding | DamageFinding | NoteFinding | UncheckedFinding | StoppedFinding

export interface ScrubSummary {
  readonly depth: Depth
  readonly applied: boolean
  /** False where something could not be looked at. */
  readonly complete: boolean
  /** True where it would have deleted more than one run may: then it deleted nothing of that. */
  readonly stoppedForSafety: boolean
  /** Writes that are damaged, those included that an earlier run found on the same round. */
  readonly damagedWrites: number
  readonly findings: Readonly<Partial<Record<Finding['kind'], number>>>
  readonly projects: number
  /** Of committed writes, as the catalogue has them. */
  readonly liveBytes: bigint
  readonly checkedWrites: number
  readonly checkedChunks: number
  readonly readBytes: bigint
  /** Writes, whole projects and orphans whose chunks were taken away. */
  readonly removals: number
  /** As far as it is known: orphans do not tell their size. */
  readonly removedBytes: bigint
  /** It went on where an earlier run of this depth had stopped. */
  readonly resumed: boolean
  readonly elapsedMs: number
  readonly chunksPerSecond: number
  readonly bytesPerSecond: number
}

const DAMAGE: ReadonlySet<string> = new Set<DamageKind>([
  'chunk-missing',
  'chunk-damaged',
  'root-mismatch',
  'manifest-unreadable',
  'head-unreachable',
])

export function isDamage(finding: Finding): finding is DamageFinding {
  return DAMAGE.has(finding.kind)
}
