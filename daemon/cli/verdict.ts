/** How a host is, for monitoring: 0 fine, 1 a warning, 2 critical, each with its reasons. */
import { humanDuration } from './progress.ts'

export interface Judged {
  readonly mayAct: boolean
  readonly why: string | null
  readonly pool: { readonly health: string; readonly capacityPercent: number }
  readonly unsaved: { readonly oldestMs: number }
  readonly failingSaves: readonly unknown[]
  readonly leftUnsaved: readonly unknown[]
  readonly auditLost: number
  readonly diverged: readonly unknown[]
  readonly asks: readonly unknown[]
  readonly cannotReceive: readonly string[]
  readonly readOnly: readonly unknown[]
  readonly readOnlyFailed: string | null
  readonly stuck: readonly unknown[]
  readonly beside: { readonly renamed: readonly unknown[] }
}

export interface Verdict {
  readonly exit: 0 | 1 | 2
  readonly critical: readonly string[]
  readonly warnings: readonly string[]
}

/** What is promised is 90 s; a host that is busy for a moment wakes nobody. */
const LATE_MS = 5 * 60_000
const MUCH_TOO_LATE_MS = 15 * 60_000
/** Where projects leave by themselves it does not come to that. */
const FULL_PERCENT = 90
const NO_ROOM_PERCENT = 97

export function verdictOf(status: Judged): Verdict {
  const { mayAct, why, pool, failingSaves, leftUnsaved, auditLost, diverged, asks, stuck, beside } = status
  const { cannotReceive, readOnly, readOnlyFailed } = status
  const unsavedMs = status.unsaved.oldestMs
  const full = `the pool is ${pool.capacityPercent}% full`
  const unsaved = `something has not been saved for ${humanDuration(unsavedMs)}`
  const critical = [
    !mayAct && `it may not act: ${why}`,
    !['ONLINE', 'DEGRADED'].includes(pool.health) && `the pool is ${pool.health}`,
    pool.capacityPercent >= NO_ROOM_PERCENT && full,
    unsavedMs >= MUCH_TOO_LATE_MS && unsaved,
  ].filter((reason) => reason !== false)
  const warnings = [
    pool.health === 'DEGRADED' && 'the pool is DEGRADED',
    pool.capacityPercent >= FULL_PERCENT && pool.capacityPercent < NO_ROOM_PERCENT && full,
    unsavedMs >= LATE_MS && unsavedMs < MUCH_TOO_LATE_MS && unsaved,
    failingSaves.length > 0 && `${failingSaves.length} cannot be saved`,
    leftUnsaved.length > 0 && `${leftUnsaved.length} not saved when this host went down`,
    stuck.length > 0 && `${stuck.length} commands of ZFS cannot be ended`,
    asks.length > 0 && `${asks.length} wait for a word about a silent host`,
    cannotReceive.length > 0 &&
      `it can't receive streams that use ${cannotReceive.join(', ')}, which its store allows`,
    readOnlyFailed !== null && `what is to be read-only, or writable again, is not: ${readOnlyFailed}`,
    readOnly.length > 0 && `${readOnly.length} are read-only`,
    diverged.length > 0 && `${diverged.length} were taken by other hosts, or have left their heads`,
    beside.renamed.length > 0 && `${beside.renamed.length} have another name in the pool than their own`,
    auditLost > 0 && `${auditLost} entries of the audit log could not be written`,
  ].filter((reason) => reason !== false)
  return { exit: critical.length > 0 ? 2 : warnings.length > 0 ? 1 : 0, critical, warnings }
}
