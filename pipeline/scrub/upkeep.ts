/** What a project needs done, as one read of it shows: pure, so that a dry run and a real one judge alike. */
import type { NeededOptions } from '../graph/needed.ts'
import { superfluousWrites } from '../graph/needed.ts'
import { pathToHead } from '../graph/plan.ts'
import { bytesOf } from '../graph/removal.ts'
import type { Project, WriteRow } from '../graph/state.ts'

export interface UpkeepPolicy {
  /** By the store's clock; null where its nodes disagree, and then no time is over. */
  readonly nowMs: number | null
  readonly supersededGraceMs: number
  readonly purgeAfterMs: number
  readonly forgetAfterMs: number
  readonly retention: NeededOptions
  /** Where something of it is damaged, every other way to its points may be the one that mends it: all of it stays. */
  readonly isDamaged: boolean
}

export interface Upkeep {
  /** Under way still, as far as the row says. */
  readonly writing: readonly WriteRow[]
  /** Ended by transaction; their chunks may be there still. */
  readonly ended: readonly WriteRow[]
  readonly expired: readonly WriteRow[]
  readonly superfluous: readonly WriteRow[]
  readonly forgettable: readonly WriteRow[]
  readonly purge: 'no' | 'due' | 'begun'
}

export function planUpkeep(project: Project, policy: UpkeepPolicy): Upkeep {
  const { life, lifeAtMs } = project.statics
  const rows = [...project.rows.values()]
  const isOver = (sinceMs: number, ms: number): boolean =>
    policy.nowMs !== null && sinceMs + ms <= policy.nowMs
  const purge =
    life === 'purging'
      ? 'begun'
      : life === 'destroyed' && isOver(lifeAtMs, policy.purgeAfterMs)
        ? 'due'
        : 'no'
  const writing = rows.filter((row) => row.state === 'writing')
  const isWhole = !policy.isDamaged && pathToHead(project) !== null
  return {
    writing,
    ended: rows.filter((row) => row.state === 'aborted' || row.state === 'deleting'),
    expired: isWhole
      ? rows.filter((row) => row.state === 'superseded' && isOver(row.changedAtMs, policy.supersededGraceMs))
      : [],
    // A save is under way: its commit supersedes by itself, and moving rev now would only make it commit twice.
    superfluous:
      life === 'live' && isWhole && writing.length === 0 ? superfluousWrites(project, policy.retention) : [],
    forgettable: rows.filter(
      (row) => row.state === 'deleted' && isOver(row.changedAtMs, policy.forgetAfterMs),
    ),
    purge,
  }
}

/** Whether there is anything in it that a scrub does on its own; writes in progress are judged by their hosts. */
export function isIdle(upkeep: Upkeep): boolean {
  const { ended, expired, superfluous, forgettable, purge } = upkeep
  return purge === 'no' && ended.length + expired.length + superfluous.length + forgettable.length === 0
}

/** What the project holds that can be restored, or had back: the measure of what one run may delete. */
export function liveBytes(project: Project): bigint {
  const { life } = project.statics
  return life === 'live' || life === 'destroyed' ? sum(project, 'committed') : 0n
}

/** What would go for good by a decision of this run. */
export function wantedBytes(project: Project, upkeep: Upkeep): bigint {
  if (upkeep.purge === 'due') return sum(project, 'committed') + sum(project, 'superseded')
  if (upkeep.purge === 'begun') return 0n
  return upkeep.expired.reduce((total, row) => total + bytesOf(row), 0n)
}

function sum(project: Project, state: WriteRow['state']): bigint {
  let total = 0n
  for (const row of project.rows.values()) if (row.state === state) total += bytesOf(row)
  return total
}
