/**
 * A change of one project as a plain value: conditions and assignments. Every store carries it out whole or not
 * at all, and `applyTransaction` says exactly what that means: the in-memory and the directory store run it, the
 * Cassandra store translates it into one conditional batch and is tested against it.
 */
import type { ProjectId, WriteId } from '../base/ids.ts'
import type { Project, Statics, WriteRow, WriteState } from './state.ts'

/** Only non-null values are ever compared: a condition on null would hold in a partition that does not exist. */
export interface StaticsCondition {
  readonly epoch?: bigint
  readonly rev?: bigint
  readonly life?: Statics['life']
}

export type RowChange =
  /** Holds only where there is no row with that id, in whatever state. */
  | { readonly kind: 'insert'; readonly row: WriteRow }
  | {
      readonly kind: 'update'
      readonly writeId: WriteId
      readonly if: WriteState
      readonly set: Partial<
        Pick<WriteRow, 'state' | 'seqHigh' | 'changedAtMs' | 'committedAtMs' | 'manifest'>
      >
    }
  | { readonly kind: 'remove'; readonly writeId: WriteId; readonly if: WriteState }

export interface Transaction {
  readonly project: ProjectId
  /** For messages: `commit of <write>`. */
  readonly what: string
  /** `absent`: the project has no statics yet, and `set` is all of them. `{}`: the rows' conditions alone decide. */
  readonly if: StaticsCondition | 'absent'
  readonly set: Partial<Statics>
  /** Each row at most once: all conditions are looked at before anything changes. */
  readonly rows: readonly RowChange[]
}

/** The project after the transaction, or null where a condition does not hold and nothing changes. */
export function applyTransaction(project: Project | undefined, transaction: Transaction): Project | null {
  const statics = staticsAfter(project, transaction)
  if (!statics) return null
  const rows = new Map(project?.rows)
  for (const change of transaction.rows) {
    if (change.kind === 'insert') {
      if (rows.has(change.row.writeId)) return null
      rows.set(change.row.writeId, change.row)
      continue
    }
    const row = rows.get(change.writeId)
    if (row?.state !== change.if) return null
    if (change.kind === 'remove') rows.delete(change.writeId)
    else rows.set(change.writeId, { ...row, ...change.set })
  }
  return { id: transaction.project, statics, rows }
}

function staticsAfter(project: Project | undefined, { if: condition, set }: Transaction): Statics | null {
  if (condition === 'absent') return project ? null : (set as Statics)
  if (!project) return null
  const now = project.statics
  if (condition.epoch !== undefined && condition.epoch !== now.epoch) return null
  if (condition.rev !== undefined && condition.rev !== now.rev) return null
  if (condition.life !== undefined && condition.life !== now.life) return null
  return { ...now, ...set }
}
