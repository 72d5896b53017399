/** Every change of the catalogue as a plain value, and what it does inside one transaction of LMDB. */
import type { ProjectId, WriteId } from '../../base/ids.ts'
import type { Project } from '../../graph/state.ts'
import { applyTransaction, type RowChange, type Transaction } from '../../graph/transaction.ts'
import { applyHostTransaction, type HostTransaction } from '../../hosts/state.ts'
import {
  decodeHost,
  decodeStatics,
  decodeStored,
  encodeHost,
  encodeStatics,
  encodeStored,
  type Key,
  keys,
  type StoredRow,
} from './values.ts'

/** A transaction whose manifests are text already. */
export interface StoredTransaction extends Omit<Transaction, 'rows'> {
  readonly rows: readonly StoredChange[]
}

type Update = Extract<RowChange, { kind: 'update' }>
export type StoredChange =
  | { readonly kind: 'insert'; readonly row: StoredRow }
  | (Omit<Update, 'set'> & {
      readonly set: Partial<Omit<Update['set'], 'manifest'> & Pick<StoredRow, 'manifest'>>
    })
  | Extract<RowChange, { kind: 'remove' }>

export type Operation =
  | { readonly kind: 'apply'; readonly transaction: StoredTransaction; readonly chainMark: string }
  | { readonly kind: 'apply-host'; readonly transaction: HostTransaction }
  | { readonly kind: 'put'; readonly key: Key; readonly value: string; readonly dropBefore?: OldRange }
  | { readonly kind: 'remove'; readonly key: Key }
  /** Forgets that `chain` was to be rewritten, unless somebody has marked it anew. */
  | { readonly kind: 'chain-written'; readonly project: ProjectId; readonly chainMark: string }

export interface OldRange {
  readonly start: Key
  readonly end: Key
}

/** How many old entries one put takes along: enough to keep up, too few to make it slow. */
const DROP_AT_ONCE = 64

/** What an operation needs of LMDB, inside its transaction. */
export interface Rows {
  get(key: Key): string | undefined
  put(key: Key, value: string): void
  remove(key: Key): void
  keysIn(range: OldRange, limit: number): Key[]
}

/** True where it made space for more: the operations that go on when the catalogue has reached its limit. */
export function adds(operation: Operation): boolean {
  switch (operation.kind) {
    case 'apply':
      return (
        operation.transaction.if === 'absent' ||
        operation.transaction.rows.some(({ kind }) => kind === 'insert')
      )
    case 'apply-host':
      return operation.transaction.if === 'absent'
    case 'put':
      return true
    default:
      return false
  }
}

/** False where a condition did not hold; then nothing was changed. */
export function run(rows: Rows, operation: Operation): boolean {
  switch (operation.kind) {
    case 'apply':
      return apply(rows, operation.transaction, operation.chainMark)
    case 'apply-host':
      return applyHost(rows, operation.transaction)
    case 'put':
      for (const key of operation.dropBefore ? rows.keysIn(operation.dropBefore, DROP_AT_ONCE) : [])
        rows.remove(key)
      rows.put(operation.key, operation.value)
      return true
    case 'remove':
      if (rows.get(operation.key) !== undefined) rows.remove(operation.key)
      return true
    case 'chain-written': {
      const key = keys.chain(operation.project)
      if (rows.get(key) === operation.chainMark) rows.remove(key)
      return true
    }
  }
}

/** Reads and writes only the statics and the rows that are named: a project may have thousands of others. */
function apply(rows: Rows, transaction: StoredTransaction, chainMark: string): boolean {
  const { project: id } = transaction
  const named = new Map<WriteId, StoredRow>()
  for (const change of transaction.rows) {
    const text = rows.get(keys.row(id, writeOf(change)))
    if (text !== undefined) named.set(writeOf(change), decodeStored(text))
  }
  const text = rows.get(keys.project(id))
  const before = text === undefined ? undefined : { id, statics: decodeStatics(text, id), rows: named }
  const after = applyStored(before, transaction)
  if (!after) return false
  if (!before || Object.keys(transaction.set).length > 0)
    rows.put(keys.project(id), encodeStatics(after.statics))
  for (const change of transaction.rows) {
    const row = after.rows.get(writeOf(change))
    if (row) rows.put(keys.row(id, row.writeId), encodeStored(row))
    else rows.remove(keys.row(id, writeOf(change)))
  }
  if (changesPaths(transaction)) rows.put(keys.chain(id), chainMark)
  return true
}

type StoredProject = Omit<Project, 'rows'> & { readonly rows: ReadonlyMap<WriteId, StoredRow> }

/** The one meaning of a transaction looks at states and ids only, so a manifest may pass through it as text. */
const applyStored = applyTransaction as unknown as (
  project: StoredProject | undefined,
  transaction: StoredTransaction,
) => StoredProject | null

/** Whether the streams that lead to the head may be others than before. */
export function changesPaths({ set, rows }: StoredTransaction): boolean {
  return set.head !== undefined || rows.some(isOfCommitted)
}

function isOfCommitted(change: StoredChange): boolean {
  if (change.kind === 'insert') return change.row.state === 'committed'
  return change.if === 'committed' || (change.kind === 'update' && change.set.state === 'committed')
}

function applyHost(rows: Rows, transaction: HostTransaction): boolean {
  const key = keys.host(transaction.host)
  const text = rows.get(key)
  const after = applyHostTransaction(text === undefined ? undefined : decodeHost(text), transaction)
  if (after) rows.put(key, encodeHost(after))
  return after !== null
}

const writeOf = (change: StoredChange): WriteId =>
  change.kind === 'insert' ? change.row.writeId : change.writeId
