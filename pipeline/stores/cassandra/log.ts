/** The log of a day: spread over a few partitions, merged by time when it is read. */
import { createHash } from 'node:crypto'
import { type QueryOptions, types } from 'cassandra-driver'
import type { ProjectId, WriteId } from '../../base/ids.ts'
import type { CallOptions, LogEntry } from '../contract.ts'
import type { Session } from './session.ts'

const SHARDS = 8
const OPTIONS: QueryOptions = {
  prepare: true,
  isIdempotent: true,
  consistency: types.consistencies.localQuorum,
  fetchSize: 500,
}

export async function writeLog(session: Session, keyspace: string, entry: LogEntry, { signal }: CallOptions) {
  const { atMs, writeId, what, project } = entry
  const at = new Date(atMs)
  await session.write(
    `INSERT INTO ${keyspace}.write_log (day, shard, at, write_id, what, project_id) VALUES (?, ?, ?, ?, ?, ?)`,
    [at.toISOString().slice(0, 10), shardOf(writeId), at, writeId, what, project],
    OPTIONS,
    { what: `log of write ${writeId}`, signal },
  )
}

export async function* readLog(
  session: Session,
  keyspace: string,
  day: string,
  { signal }: CallOptions,
): AsyncGenerator<LogEntry> {
  signal?.throwIfAborted()
  const query = `SELECT at, write_id, what, project_id FROM ${keyspace}.write_log WHERE day = ? AND shard = ?`
  const call = { what: `log of ${day}`, signal }
  const shards = Array.from({ length: SHARDS }, (_, shard) =>
    session.rows(query, [day, shard], OPTIONS, call),
  )
  const heads: { entry: LogEntry; rest: AsyncGenerator<types.Row> }[] = []
  for (const rest of shards) {
    const { value, done } = await rest.next()
    if (!done) heads.push({ entry: toEntry(value), rest })
  }
  for (;;) {
    const first = heads.reduce<(typeof heads)[0] | undefined>(
      (least, head) => (least && least.entry.atMs <= head.entry.atMs ? least : head),
      undefined,
    )
    if (!first) return
    yield first.entry
    const { value, done } = await first.rest.next()
    if (done) heads.splice(heads.indexOf(first), 1)
    else first.entry = toEntry(value)
  }
}

const shardOf = (writeId: WriteId): number =>
  (createHash('md5').update(writeId).digest()[0] as number) % SHARDS

const toEntry = (row: types.Row): LogEntry => ({
  atMs: (row.get('at') as Date).getTime(),
  project: row.get('project_id') as ProjectId,
  writeId: row.get('write_id') as WriteId,
  what: row.get('what') as string,
})
