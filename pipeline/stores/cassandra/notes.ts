/**
 * Notes: numbered by transactions, so that the last one written stands whatever the writers' clocks say. One is
 * written now and then; the price does not matter.
 */
import { type QueryOptions, types } from 'cassandra-driver'
import { OutcomeUnknownError, StoreUnavailableError } from '../../base/errors.ts'
import type { CallOptions } from '../contract.ts'
import type { Session } from './session.ts'

const TRIES = 20

export interface NoteTable {
  readonly session: Session
  readonly keyspace: string
  readonly serial: number
}

interface Note {
  readonly seq: bigint
  readonly text: string | undefined
}

export async function readNote(
  table: NoteTable,
  name: string,
  options: CallOptions,
): Promise<string | undefined> {
  return (await find(table, name, options))?.text
}

export async function writeNote(
  table: NoteTable,
  name: string,
  text: string | undefined,
  { signal }: CallOptions,
): Promise<void> {
  const { session, keyspace, serial } = table
  const how: QueryOptions = {
    prepare: true,
    isIdempotent: false,
    consistency: types.consistencies.localQuorum,
    serialConsistency: serial,
  }
  const call = { what: `note ${name}`, signal }
  for (let tries = 0; tries < TRIES; tries++) {
    const now = await find(table, name, { signal })
    const statement = now
      ? {
          query: `UPDATE ${keyspace}.note SET seq = ?, note = ? WHERE name = ? IF seq = ?`,
          params: [now.seq + 1n, text ?? null, name, now.seq],
        }
      : {
          query: `INSERT INTO ${keyspace}.note (name, seq, note) VALUES (?, ?, ?) IF NOT EXISTS`,
          params: [name, 1n, text],
        }
    try {
      if (await session.transact([statement], how, call)) return
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error
      signal?.throwIfAborted() // else: writing it once more harms nobody
    }
  }
  throw new StoreUnavailableError(`${call.what}: others write it all the time`, { overloaded: true })
}

async function find(table: NoteTable, name: string, { signal }: CallOptions): Promise<Note | undefined> {
  const how = { prepare: true, isIdempotent: true, consistency: table.serial }
  const query = `SELECT seq, note FROM ${table.keyspace}.note WHERE name = ?`
  const row = (await table.session.read(query, [name], how, { what: `note ${name}`, signal })).first()
  return row
    ? { seq: row.get('seq') as bigint, text: (row.get('note') as string | null) ?? undefined }
    : undefined
}
