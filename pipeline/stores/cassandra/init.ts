/** Makes a store: keyspace, tables, its own record. What is there already stays as it is. */
import { type Client, types } from 'cassandra-driver'
import { TidepoolError } from '../../base/errors.ts'
import { type ConnectOptions, connect } from './client.ts'
import { storeError } from './errors.ts'
import {
  checkFormat,
  checkMode,
  checkReplication,
  type KeyspaceInfo,
  readInfo,
  readReplication,
  receivableTerm,
} from './info.ts'
import {
  createKeyspace,
  createTable,
  FORMAT,
  keyspaceName,
  type Mode,
  modeText,
  parseMode,
  type Replication,
  replicationText,
  TABLE_NAMES,
  type TableName,
} from './schema.ts'

export interface InitOptions extends ConnectOptions {
  readonly keyspace: string
  /** Data centre → copies. Needed where the keyspace is not there yet. */
  readonly replication?: Replication | undefined
  /** `home:<dc>` or `global`. Needed where there is more than one data centre. */
  readonly mode?: string | undefined
  /** Stream features that every host can receive; left out, nothing is refused. */
  readonly receivable?: readonly string[] | undefined
}

/** What it did, line by line: `created table chunk`, `table chunk was there`. May be repeated, also after a failure. */
export async function initCassandraStore(
  options: InitOptions,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<string[]> {
  const keyspace = keyspaceName(options.keyspace)
  const given = options.mode === undefined ? undefined : parseMode(options.mode)
  const client = await connect(options, options.localDc, signal)
  try {
    const stored = await readReplication(client, keyspace)
    signal?.throwIfAborted()
    const replication = stored ?? wanted(client, keyspace, options.replication)
    checkReplication(keyspace, replication, options.replication)
    // Before anything is made: what can't be must leave nothing behind.
    const found = stored && (await readInfo(client, keyspace))
    if (found) checkInfo(keyspace, found, given)
    const mode = found?.mode ?? modeFor(replication, given)
    const done = [await ensureKeyspace(client, keyspace, replication, stored !== undefined)]
    const release = client.getState().getConnectedHosts()[0]?.cassandraVersion ?? '5.0'
    for (const table of TABLE_NAMES) {
      signal?.throwIfAborted()
      done.push(await ensureTable(client, keyspace, table, release))
    }
    done.push(await ensureInfo(client, keyspace, mode, given, options.receivable))
    return done
  } finally {
    await client.shutdown()
  }
}

async function ensureKeyspace(
  client: Client,
  keyspace: string,
  replication: Replication,
  isThere: boolean,
): Promise<string> {
  const name = `keyspace ${keyspace}`
  if (isThere) return `${name} was there (${replicationText(replication)})`
  await run(client, createKeyspace(keyspace, replication), `creation of ${name}`)
  return `created ${name} (${replicationText(replication)})`
}

function wanted(client: Client, keyspace: string, given: Replication | undefined): Replication {
  if (!given)
    throw new TidepoolError(
      'replication-needed',
      `there is no keyspace ${keyspace}, and nothing says how many copies it needs`,
      {
        hint: 'Say how many in each data centre: rf=dc1:3 in the URL.',
      },
    )
  checkDcs(client, given)
  return given
}

/** Cassandra takes a name that it does not know, and then has nowhere to write. */
function checkDcs(client: Client, replication: Replication): void {
  const known = new Set(client.hosts.values().map((host) => host.datacenter))
  const entries = Object.entries(replication)
  const unknown = entries.find(([dc]) => !known.has(dc))
  if (unknown)
    throw new TidepoolError(
      'unknown-dc',
      `there is no data centre ${unknown[0]}, only ${[...known].sort().join(', ')}`,
      {
        hint: 'Give one of the names that `nodetool status` shows.',
      },
    )
  const bad = entries.find(([, copies]) => !Number.isInteger(copies) || copies < 1)
  if (!bad && entries.length > 0) return
  throw new TidepoolError(
    'bad-replication',
    `${bad ? `${bad[1]} copies in ${bad[0]}` : 'no data centre'} is no replication`,
    {
      hint: 'Say how many in each data centre: rf=dc1:3 in the URL.',
    },
  )
}

function modeFor(replication: Replication, given: Mode | undefined): Mode {
  const dcs = Object.keys(replication)
  const [only] = dcs
  const mode = given ?? (dcs.length === 1 && only ? ({ kind: 'home', dc: only } as const) : undefined)
  if (!mode)
    throw new TidepoolError(
      'mode-needed',
      `the keyspace spans ${dcs.join(', ')}: nothing says where its transactions are decided`,
      {
        hint: 'Give mode=home:NAME for one data centre, or mode=global for a majority of all.',
      },
    )
  if (mode.kind === 'home' && !dcs.includes(mode.dc))
    throw new TidepoolError(
      'unknown-dc',
      `the keyspace has no copies in ${mode.dc}, only in ${dcs.join(', ')}`,
      {
        hint: 'Let its transactions be decided in one of those.',
      },
    )
  return mode
}

async function ensureTable(
  client: Client,
  keyspace: string,
  table: TableName,
  release: string,
): Promise<string> {
  const query = 'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?'
  const found = await run(client, query, `look for table ${table}`, [keyspace, table])
  if (found.rowLength > 0) return `table ${table} was there`
  await run(client, createTable(keyspace, table, release), `creation of table ${table}`)
  return `created table ${table}`
}

async function ensureInfo(
  client: Client,
  keyspace: string,
  mode: Mode,
  given: Mode | undefined,
  receivable: readonly string[] | undefined,
): Promise<string> {
  const { localQuorum, serial } = types.consistencies
  const { term, params } = receivableTerm(receivable)
  await run(
    client,
    `INSERT INTO ${keyspace}.info (name, format, mode, created_at, receivable) VALUES ('store', ?, ?, ?, ${term}) IF NOT EXISTS`,
    `record of keyspace ${keyspace}`,
    [FORMAT, modeText(mode), new Date(), ...params],
    { consistency: localQuorum, serialConsistency: serial },
  )
  const info = await readInfo(client, keyspace)
  if (!info)
    throw new TidepoolError(
      'store-missing',
      `the record of keyspace ${keyspace} is not there after it was written`,
    )
  checkInfo(keyspace, info, given)
  return `format ${info.format}, mode ${modeText(info.mode)}`
}

function checkInfo(keyspace: string, info: KeyspaceInfo, given: Mode | undefined): void {
  checkFormat(keyspace, info)
  checkMode(keyspace, info.mode, given)
}

async function run(
  client: Client,
  query: string,
  what: string,
  params: unknown[] = [],
  options: { consistency?: number; serialConsistency?: number } = {},
): Promise<types.ResultSet> {
  try {
    return await client.execute(query, params, { prepare: params.length > 0, ...options })
  } catch (error) {
    // Everything here is made only where it is not there: it may be repeated.
    throw storeError(error, what, 'write')
  }
}
