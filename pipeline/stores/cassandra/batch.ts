/**
 * A `Transaction` as the statements of one conditional batch in the project's partition, meaning exactly what
 * `applyTransaction` means. Each statement on a row has a condition of its own, and no condition compares with null:
 * that one would hold in a partition that is not there, and make it.
 */
import { TidepoolError } from '../../base/errors.ts'
import type { ProjectId } from '../../base/ids.ts'
import type { RowChange, StaticsCondition, Transaction } from '../../graph/transaction.ts'
import type { HostTransaction } from '../../hosts/state.ts'
import { type Assignment, bigintOf, hostColumns, rowColumns, staticsColumns } from './rows.ts'

export interface Statement {
  readonly query: string
  readonly params: readonly unknown[]
}

const PRESENT: Assignment = ['present', true]

export function projectStatements(keyspace: string, transaction: Transaction): Statement[] {
  const table = `${keyspace}.project`
  const { project, rows } = transaction
  refuseTwice(transaction)
  return [
    ...staticsStatements(table, transaction),
    ...rows.map((change) => rowStatement(table, project, change)),
  ]
}

export function hostStatement(keyspace: string, { host, if: condition, set }: HostTransaction): Statement {
  const table = `${keyspace}.host`
  if (condition === 'absent') return insert(table, [['host_id', host], PRESENT, ...hostColumns(set)])
  return update(table, [['host_id', host]], hostColumns(set), hostColumns(condition))
}

function staticsStatements(table: string, { project, if: condition, set, rows }: Transaction): Statement[] {
  const key: Assignment = ['project_id', project]
  const columns = staticsColumns(set)
  if (condition === 'absent') return [insert(table, [key, PRESENT, ...columns])]
  const conditions = conditionColumns(condition)
  // A row that must be in some state is in a project that is there: its own condition says it all.
  const isImplied = rows.some(({ kind }) => kind !== 'insert')
  if (conditions.length === 0 && columns.length === 0 && isImplied) return []
  return [update(table, [key], columns, conditions)]
}

function rowStatement(table: string, project: ProjectId, change: RowChange): Statement {
  if (change.kind === 'insert') {
    const { writeId, ...row } = change.row
    return insert(table, [['project_id', project], ['write_id', writeId], ...rowColumns(row)])
  }
  const key: Assignment[] = [
    ['project_id', project],
    ['write_id', change.writeId],
  ]
  const state: Assignment = ['state', change.if]
  if (change.kind === 'update') return update(table, key, rowColumns(change.set), [state])
  return {
    query: `DELETE FROM ${table} WHERE ${equal(key, ' AND ')} IF state = ?`,
    params: [...values(key), change.if],
  }
}

function conditionColumns({ epoch, rev, life }: StaticsCondition): Assignment[] {
  const columns: Assignment[] = []
  if (epoch !== undefined) columns.push(['epoch', bigintOf(epoch, 'the epoch')])
  if (rev !== undefined) columns.push(['rev', bigintOf(rev, 'the rev')])
  if (life !== undefined) columns.push(['life', life])
  return columns
}

/** Null is left out: in a row that was never there it would only leave a tombstone. */
function insert(table: string, columns: readonly Assignment[]): Statement {
  const names = columns.map(([name]) => name).join(', ')
  const marks = columns.map(() => '?').join(', ')
  return {
    query: `INSERT INTO ${table} (${names}) VALUES (${marks}) IF NOT EXISTS`,
    params: values(columns).map((value) => value ?? undefined),
  }
}

/** Cassandra knows no update that sets nothing: then what is known to be so already is set again. */
function update(
  table: string,
  key: readonly Assignment[],
  columns: readonly Assignment[],
  conditions: readonly Assignment[],
): Statement {
  const holds = conditions.length > 0 ? conditions : [PRESENT]
  const sets = columns.length > 0 ? columns : holds
  return {
    query: `UPDATE ${table} SET ${equal(sets, ', ')} WHERE ${equal(key, ' AND ')} IF ${equal(holds, ' AND ')}`,
    params: [...values(sets), ...values(key), ...values(holds)],
  }
}

const equal = (columns: readonly Assignment[], between: string): string =>
  columns.map(([name]) => `${name} = ?`).join(between)

const values = (columns: readonly Assignment[]): unknown[] => columns.map(([, value]) => value)

/** A batch looks at all conditions before it changes anything, so it can't do one row's two changes in turn. */
function refuseTwice({ rows, what }: Transaction): void {
  const ids = rows.map((change) => (change.kind === 'insert' ? change.row.writeId : change.writeId))
  if (new Set(ids).size === ids.length) return
  throw new TidepoolError('bad-transaction', `${what} changes one row twice`, {
    hint: 'This is a fault of the program: please report it.',
  })
}
