/** Rows as the catalogue's callers know them, with manifests that were checked. */
import type { ProjectId } from '../../base/ids.ts'
import type { WriteRow } from '../../graph/state.ts'
import type { RowChange, Transaction } from '../../graph/transaction.ts'
import { decodeManifest, encodeManifest } from '../../transfer/manifest.ts'
import type { LogEntry, WritingEntry } from '../contract.ts'
import type { StoredChange, StoredTransaction } from './operations.ts'
import { decodeStored, encodeStored, parse, type StoredRow } from './values.ts'

export function storedRow(row: WriteRow): StoredRow {
  return { ...row, manifest: row.manifest && encodeManifest(row.manifest) }
}

export function decodeRow(text: string): WriteRow {
  const row = decodeStored(text)
  return {
    ...row,
    manifest: row.manifest === null ? null : decodeManifest(row.manifest, `write ${row.writeId}`),
  }
}

export function storedTransaction(transaction: Transaction): StoredTransaction {
  return { ...transaction, rows: transaction.rows.map(storedChange) }
}

function storedChange(change: RowChange): StoredChange {
  if (change.kind === 'insert') return { ...change, row: storedRow(change.row) }
  if (change.kind === 'remove') return change
  const { manifest, ...set } = change.set
  return {
    ...change,
    set: manifest === undefined ? set : { ...set, manifest: manifest && encodeManifest(manifest) },
  }
}

export function encodeWriting(entry: WritingEntry): string {
  return JSON.stringify({ project: entry.project, row: encodeStored(storedRow(entry.row)) })
}

export function decodeWriting(text: string): WritingEntry {
  const raw = parse<{ project: ProjectId; row: string }>(text, 'a write in progress')
  return { project: raw.project, row: decodeRow(raw.row) }
}

export const encodeLog = (entry: LogEntry): string => JSON.stringify(entry)
export const decodeLog = (text: string): LogEntry => parse<LogEntry>(text, 'a line of the log')
