/** What a store knows of a host: one row, changed only by conditional transactions, with no TTL on it. */
import type { HostId, SessionId } from '../base/ids.ts'
import type { ProcessIdentity } from '../base/process.ts'

export type { ProcessIdentity } from '../base/process.ts'

export type HostState = 'live' | 'dead' | 'ended'

export interface HostRow {
  readonly host: HostId
  readonly session: SessionId
  readonly state: HostState
  /** Grows with each renewal. That it stands still, on the looker's own clock, is the only sign of death. */
  readonly renewSeq: bigint
  /**
   * It was dead or had ended when it registered, and has not yet touched every project that it holds. Kept here
   * because a host that crashes in between must still know it at its next start.
   */
  readonly returning: boolean
  /** For people: a machine's name. Decides nothing. */
  readonly name: string
  /** The process, so that another on the same machine and boot can see at once that it is gone. */
  readonly process: ProcessIdentity | null
  readonly changedAtMs: number
}

export interface HostTransaction {
  readonly what: string
  readonly host: HostId
  /** `absent`: there is no such row, and `set` is all of it. Else each named value must be as given. */
  readonly if:
    | 'absent'
    | { readonly session?: SessionId; readonly renewSeq?: bigint; readonly state?: HostState }
  readonly set: Partial<HostRow>
}

/** The row after the transaction, or null where a condition does not hold and nothing changes. */
export function applyHostTransaction(row: HostRow | undefined, transaction: HostTransaction): HostRow | null {
  const { if: condition, set } = transaction
  if (condition === 'absent') return row ? null : (set as HostRow)
  if (!row) return null
  for (const key of ['session', 'renewSeq', 'state'] as const)
    if (condition[key] !== undefined && condition[key] !== row[key]) return null
  return { ...row, ...set }
}
