/** The tables of a keyspace, their version, and the transaction mode that everybody who uses it must share. */
import { TidepoolError } from '../../base/errors.ts'

/** Grows when a table changes in a way that an older program must not meet. */
export const FORMAT = 1

/** `home`: all transactions go to that data centre. `global`: to a majority of all of them. */
export type Mode = { readonly kind: 'home'; readonly dc: string } | { readonly kind: 'global' }

/** Data centre → copies. */
export type Replication = Readonly<Record<string, number>>

export function parseMode(text: string): Mode {
  if (text === 'global') return { kind: 'global' }
  const dc = /^home:([A-Za-z0-9_.-]+)$/.exec(text)?.[1]
  if (dc) return { kind: 'home', dc }
  throw new TidepoolError('bad-mode', `${JSON.stringify(text)} is not a transaction mode`, {
    hint: 'Use home:NAME with the data centre that all transactions go to, or global.',
  })
}

export const modeText = (mode: Mode): string => (mode.kind === 'home' ? `home:${mode.dc}` : 'global')

/** The name itself. It becomes part of every statement, so nothing that would need quotes passes. */
export function keyspaceName(text: string): string {
  if (!/^[a-z][a-z0-9_]{0,47}$/.test(text))
    throw new TidepoolError('bad-keyspace', `${JSON.stringify(text)} is not a keyspace's name`, {
      hint: 'Use 1 to 48 lower-case letters, digits and underscores, starting with a letter.',
    })
  return text
}

export const replicationText = (replication: Replication): string =>
  Object.entries(replication)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([dc, copies]) => `${dc}:${copies}`)
    .join(',')

export function createKeyspace(keyspace: string, replication: Replication): string {
  const copies = Object.entries(replication).map(([dc, count]) => `'${dc}': ${count}`)
  return `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', ${copies.join(', ')}} AND durable_writes = true`
}

/** A write's columns, the same where it is part of a project and where a host notes that it is writing it. */
const ROW = `from_guid text, to_guid text, host text, session text, side boolean, state text, chunk_bytes int,
  seq_high int, begun_at timestamp, changed_at timestamp, committed_at timestamp, manifest text`

/** No time to live on anything that decides. GUIDs are text: no type of Cassandra's holds 64 bits without a sign. */
const COLUMNS = {
  // Maps are frozen: one cell each, replaced whole, with no tombstone for what was in it before.
  // `present` is true in every project: what a condition that asks for nothing but the project itself looks at.
  project: `project_id text, write_id text,
  present boolean static, life text static, owner text static, epoch bigint static, rev bigint static,
  born bigint static, head text static, kept frozen<map<text, text>> static, quota_bytes bigint static,
  properties frozen<map<text, text>> static, uid bigint static, gid bigint static, life_at timestamp static,
  ${ROW}, PRIMARY KEY ((project_id), write_id)`,
  // `project_id` lets a partition that no write claims be looked up without reading a chunk.
  chunk: `write_id text, bucket int, seq int, project_id text static, len int, sha256 blob, data blob,
  PRIMARY KEY ((write_id, bucket), seq)`,
  writing: `host_id text, write_id text, project_id text, ${ROW}, PRIMARY KEY ((host_id), write_id)`,
  host: `host_id text PRIMARY KEY, present boolean, session text, state text, renew_seq bigint, returning boolean, name text,
  boot_id text, pid bigint, start_ticks bigint, changed_at timestamp`,
  write_log: `day date, shard int, at timestamp, write_id text, what text, project_id text,
  PRIMARY KEY ((day, shard), at, write_id, what)`,
  event_log: `day date, shard int, at timestamp, id text, host_id text, project_id text, what text, detail text,
  PRIMARY KEY ((day, shard), at, id)`,
  note: 'name text PRIMARY KEY, seq bigint, note text',
  info: 'name text PRIMARY KEY, format int, mode text, created_at timestamp, receivable frozen<list<text>>',
} as const

export type TableName = keyof typeof COLUMNS
export const TABLE_NAMES = Object.keys(COLUMNS) as TableName[]

/** A day is longer than hints are kept, and short enough that removed rows don't pile up in front of a reader. */
const DAY_S = 86_400
const LOG_TTL_S = 30 * DAY_S

/**
 * A chunk is compressed though it may not shrink: only in compressed tables are blocks checked when they are read.
 * One late copy of it wastes space and harms nobody, since keys never come again: hence the short grace.
 * Speculative reads would send whole chunks twice.
 */
const CHUNK_OPTIONS = `compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 64, 'min_compress_ratio': 1.1}
  AND crc_check_chance = 1.0 AND gc_grace_seconds = ${DAY_S} AND speculative_retry = 'NEVER'
  AND caching = {'keys': 'ALL', 'rows_per_partition': 'NONE'}`

const UNIFIED = `compaction = {'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'T4', 'target_sstable_size': '1GiB'}`
const BY_DAY = `compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': 1}`

/** The unified strategy came with 5.0; before it the default one is right for what is written once. */
export const chunkOptions = (release: string): string =>
  Number.parseInt(release, 10) >= 5 ? `${CHUNK_OPTIONS} AND ${UNIFIED}` : CHUNK_OPTIONS

function options(table: TableName, release: string): string {
  if (table === 'chunk') return ` WITH ${chunkOptions(release)}`
  if (table === 'writing') return ` WITH gc_grace_seconds = ${DAY_S}`
  if (table === 'write_log')
    return ` WITH ${BY_DAY} AND default_time_to_live = ${LOG_TTL_S} AND gc_grace_seconds = ${DAY_S}`
  if (table === 'event_log') return ` WITH ${BY_DAY}`
  return ''
}

export function createTable(keyspace: string, table: TableName, release: string): string {
  return `CREATE TABLE IF NOT EXISTS ${keyspace}.${table} (${COLUMNS[table]})${options(table, release)}`
}
