/**
 * The catalogue in Cassandra. Whatever decides goes through `serial`, a session in the data centre that the keyspace's
 * transactions live in; lists, which are hints, are read nearby.
 */
import { type QueryOptions, types } from 'cassandra-driver'
import type { Guid, HostId, ProjectId, WriteId } from '../../base/ids.ts'
import type { Life } from '../../graph/state.ts'
import type { Catalogue } from '../contract.ts'
import { hostStatement, projectStatements } from './batch.ts'
import { REMOVED_AT } from './blobs.ts'
import { infoNow, setReceivable } from './info.ts'
import { readLog, writeLog } from './log.ts'
import { type NoteTable, readNote, writeNote } from './notes.ts'
import { readProject } from './project-read.ts'
import { rowColumns, toHostRow, toProjectId, toWriteRow } from './rows.ts'
import type { Mode } from './schema.ts'
import type { Session } from './session.ts'
import { storeTimeMs } from './time.ts'

export interface CatalogueOptions {
  readonly local: Session
  /** The same one where this data centre is the transactions' home. */
  readonly serial: Session
  readonly keyspace: string
  readonly mode: Mode
  /** For tests: rows in a page of a project. */
  readonly pageRows?: number | undefined
}

const { localQuorum, localSerial, quorum, serial: globalSerial } = types.consistencies
const QUORUM: QueryOptions = { prepare: true, isIdempotent: true, consistency: localQuorum }
const LIST: QueryOptions = { ...QUORUM, fetchSize: 2000 }

export function cassandraCatalogue(options: CatalogueOptions): Catalogue {
  const { local, serial, keyspace, mode } = options
  const level = mode.kind === 'home' ? localSerial : globalSerial
  const transaction: QueryOptions = {
    prepare: true,
    // A batch with conditions is one transaction anyway: no log of it is needed.
    logged: false,
    isIdempotent: false,
    consistency: localQuorum,
    serialConsistency: level,
  }
  const serialRead: QueryOptions = { prepare: true, isIdempotent: true, consistency: level }
  const sessions = serial === local ? [local] : [local, serial]
  const record = {
    session: serial,
    keyspace,
    // Without a home, changes come through any data centre: only majorities of all copies are sure to meet.
    consistency: mode.kind === 'home' ? localQuorum : quorum,
    serial: level,
  }
  const notes: NoteTable = { session: serial, keyspace, serial: level }

  return {
    info: (callOptions = {}) => infoNow(record, callOptions),
    setReceivable: (receivable, callOptions = {}) => setReceivable(record, receivable, callOptions),

    read: (project, { signal } = {}) =>
      readProject(serial, keyspace, project, level, signal, options.pageRows),

    async apply(change, { signal } = {}) {
      const call = { what: change.what, signal }
      return serial.transact(projectStatements(keyspace, change), transaction, call)
    },

    async *projects({ signal } = {}) {
      const query = `SELECT DISTINCT project_id, present, life, owner, head FROM ${keyspace}.project`
      for await (const row of local.rows(query, [], LIST, { what: 'list of all projects', signal }))
        if (row.get('present') === true)
          yield {
            id: toProjectId(row),
            life: row.get('life') as Life,
            owner: row.get('owner') as HostId | null,
            head: row.get('head') as Guid | null,
          }
    },

    async readHost(host, { signal } = {}) {
      const query = `SELECT * FROM ${keyspace}.host WHERE host_id = ?`
      const result = await serial.read(query, [host], serialRead, { what: `read of host ${host}`, signal })
      const row = result.first()
      return row?.get('present') === true ? toHostRow(row) : undefined
    },

    async applyHost(change, { signal } = {}) {
      return serial.transact([hostStatement(keyspace, change)], transaction, { what: change.what, signal })
    },

    async *hosts({ signal } = {}) {
      const query = `SELECT * FROM ${keyspace}.host`
      for await (const row of local.rows(query, [], LIST, { what: 'list of all hosts', signal }))
        if (row.get('present') === true) yield toHostRow(row)
    },

    // Written and forgotten once each, with timestamps that say which came second: no clock decides.
    async noteWriting(host, { project, row: { writeId, ...row } }, { signal } = {}) {
      const columns = [
        ['host_id', host] as const,
        ['write_id', writeId] as const,
        ['project_id', project] as const,
        ...rowColumns(row),
      ]
      const names = columns.map(([name]) => name).join(', ')
      const query = `INSERT INTO ${keyspace}.writing (${names}) VALUES (${columns.map(() => '?').join(', ')}) USING TIMESTAMP 1`
      const params = columns.map(([, value]) => value ?? undefined)
      await local.write(query, params, QUORUM, { what: `note of write ${writeId}`, signal })
    },

    async forgetWriting(host: HostId, writeId: WriteId, { signal } = {}) {
      const query = `DELETE FROM ${keyspace}.writing USING TIMESTAMP ${REMOVED_AT} WHERE host_id = ? AND write_id = ?`
      await local.write(query, [host, writeId], QUORUM, {
        what: `note of the end of write ${writeId}`,
        signal,
      })
    },

    async *writing(host, { signal } = {}) {
      const query = `SELECT * FROM ${keyspace}.writing WHERE host_id = ?`
      const call = { what: `list of what host ${host} writes`, signal }
      for await (const row of local.rows(query, [host], LIST, call))
        yield { project: row.get('project_id') as ProjectId, row: toWriteRow(row) }
    },

    async log(entry, callOptions = {}) {
      await writeLog(local, keyspace, entry, callOptions)
    },
    logged: (day, callOptions = {}) => readLog(local, keyspace, day, callOptions),

    readNote: (name, callOptions = {}) => readNote(notes, name, callOptions),
    writeNote: (name, text, callOptions = {}) => writeNote(notes, name, text, callOptions),

    nowMs: (callOptions = {}) => storeTimeMs(sessions, callOptions),

    async close() {},
  }
}
