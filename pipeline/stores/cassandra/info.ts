/** The store's own record in its keyspace, and whether it is one that this program and this caller can work with. */
import { type Client, errors, type QueryOptions, types } from 'cassandra-driver'
import { OutcomeUnknownError, TidepoolError } from '../../base/errors.ts'
import type { CallOptions, StoreInfo } from '../contract.ts'
import { storeError } from './errors.ts'
import { FORMAT, type Mode, modeText, parseMode, type Replication, replicationText } from './schema.ts'
import type { Session } from './session.ts'

export interface KeyspaceInfo extends StoreInfo {
  readonly mode: Mode
}

/** What a caller says of the store, to be held against what the store says of itself. */
export interface Expected {
  readonly mode?: Mode | undefined
  readonly replication?: Replication | undefined
}

export async function readReplication(client: Client, keyspace: string): Promise<Replication | undefined> {
  const query = 'SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?'
  const result = await client
    .execute(query, [keyspace], { prepare: true, consistency: types.consistencies.localOne })
    .catch((error: unknown) => {
      throw storeError(error, `look for keyspace ${keyspace}`, 'read')
    })
  const options = result.first()?.get('replication') as Map<string, string> | undefined
  if (!options) return undefined
  const copies = [...options].filter(([name]) => name !== 'class')
  return Object.fromEntries(copies.map(([name, count]) => [name, Number.parseInt(count, 10)]))
}

const infoQuery = (keyspace: string): string =>
  `SELECT format, mode, created_at, receivable FROM ${keyspace}.info WHERE name = 'store'`

const toInfo = (row: types.Row): KeyspaceInfo => ({
  format: row.get('format') as number,
  mode: parseMode(row.get('mode') as string),
  createdAtMs: (row.get('created_at') as Date).getTime(),
  receivable: row.get('receivable') as string[] | null,
})

/**
 * As a look at that level shows it. Where that shows none, or a part of one, the store was made far away a moment ago,
 * or its data centre was added and not repaired: then as all transactions have left it.
 */
async function findInfo(
  ask: (how: QueryOptions) => Promise<types.ResultSet>,
  consistency: types.consistencies,
): Promise<KeyspaceInfo | undefined> {
  for (const level of [consistency, types.consistencies.serial]) {
    const row = (await ask({ prepare: true, isIdempotent: true, consistency: level })).first()
    if (row && row.get('format') !== null) return toInfo(row)
  }
  return undefined
}

/** From nearby, for what never changes. Undefined: no such record, or no table for it. */
export async function readInfo(client: Client, keyspace: string): Promise<KeyspaceInfo | undefined> {
  try {
    const ask = (how: QueryOptions) => client.execute(infoQuery(keyspace), [], how)
    return await findInfo(ask, types.consistencies.localQuorum)
  } catch (error) {
    if (error instanceof errors.ResponseError && error.code === types.responseErrorCodes.invalid)
      return undefined
    throw storeError(error, `read of the record of keyspace ${keyspace}`, 'read')
  }
}

/** Where and how the record is read and changed: any two looks at this level through this session have a copy in common. */
export interface RecordPlace {
  readonly session: Session
  readonly keyspace: string
  readonly consistency: types.consistencies
  readonly serial: types.consistencies
}

/**
 * As `Catalogue.info`: a plain read where changes are committed, for a copy far from there may be late. No serial one:
 * all hosts read the same row, at each save, and serial reads of one row get in each other's way.
 */
export async function infoNow(place: RecordPlace, { signal }: CallOptions): Promise<StoreInfo> {
  const { session, keyspace, consistency } = place
  const call = { what: `read of the record of keyspace ${keyspace}`, signal }
  const found = await findInfo((how) => session.read(infoQuery(keyspace), [], how, call), consistency)
  if (!found) throw notInitialised(keyspace)
  const { mode: _mode, ...info } = found
  return info
}

const TRIES = 8

/** As a statement has it: the driver sends an empty list as null, which would say that nothing is refused. */
export const receivableTerm = (
  receivable: readonly string[] | null | undefined,
): { readonly term: string; readonly params: readonly unknown[] } =>
  receivable?.length === 0 ? { term: '[]', params: [] } : { term: '?', params: [receivable] }

/** A transaction, as the one that made the record: mixed with plain writes their clocks would decide. */
export async function setReceivable(
  { session, keyspace, consistency, serial }: RecordPlace,
  receivable: readonly string[] | null,
  { signal }: CallOptions,
): Promise<void> {
  const what = `record of keyspace ${keyspace}`
  const how: QueryOptions = { prepare: true, isIdempotent: false, consistency, serialConsistency: serial }
  const { term, params } = receivableTerm(receivable)
  const query = `UPDATE ${keyspace}.info SET receivable = ${term} WHERE name = 'store' IF EXISTS`
  let lost: unknown
  for (let tries = 0; tries < TRIES; tries++)
    try {
      if (await session.transact([{ query, params }], how, { what, signal })) return
      throw notInitialised(keyspace)
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error
      signal?.throwIfAborted() // else: saying it once more harms nobody
      lost = error
    }
  throw new OutcomeUnknownError(what, lost)
}

export function checkFormat(keyspace: string, { format }: StoreInfo): void {
  if (format === FORMAT) return
  throw new TidepoolError(
    'store-format',
    `keyspace ${keyspace} holds a store of format ${format}; this program knows format ${FORMAT}`,
    { hint: 'Use the version of Tidepool that made it, or a later one that says it can.' },
  )
}

export function checkMode(keyspace: string, stored: Mode, given: Mode | undefined): void {
  if (!given || modeText(given) === modeText(stored)) return
  throw new TidepoolError(
    'mode-differs',
    `keyspace ${keyspace} was made with mode ${modeText(stored)}, not ${modeText(given)}`,
    {
      hint: 'Leave the mode out of the URL: it cannot change while hosts use the store, or updates would be lost.',
    },
  )
}

export function checkReplication(
  keyspace: string,
  stored: Replication,
  given: Replication | undefined,
): void {
  if (!given || replicationText(given) === replicationText(stored)) return
  throw new TidepoolError(
    'replication-differs',
    `keyspace ${keyspace} is replicated ${replicationText(stored)}, not ${replicationText(given)}`,
    { hint: 'Leave rf out of the URL, or change the keyspace with ALTER KEYSPACE and repair it.' },
  )
}

export function noKeyspace(keyspace: string): TidepoolError {
  return new TidepoolError('keyspace-missing', `there is no keyspace ${keyspace}`, {
    hint: 'Check its name, or make it: `tidepool store init` with rf and mode in the URL.',
  })
}

export function notInitialised(keyspace: string): TidepoolError {
  return new TidepoolError('store-missing', `keyspace ${keyspace} holds no store of Tidepool's`, {
    hint: 'Check its name, or make one in it: `tidepool store init`.',
  })
}
