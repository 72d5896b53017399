/** A project's whole partition as one value, as it was at one moment. */
import type { QueryOptions, types } from 'cassandra-driver'
import { StoreUnavailableError } from '../../base/errors.ts'
import type { ProjectId, WriteId } from '../../base/ids.ts'
import type { Project, WriteRow } from '../../graph/state.ts'
import { toStatics, toWriteRow } from './rows.ts'
import type { Call, Session } from './session.ts'

/** All but the largest partitions come in one page. */
const PAGE_ROWS = 5000
const COLLECTS = 10

/**
 * One page is read at one moment; between two of them the project may change, and neither `rev` (intents, aborts and
 * high-water marks leave it alone) nor anything else in the partition would tell. So what needs more than one page
 * is collected until two collects in a row are the same: no value of a project ever comes back, so it was like that
 * between the two.
 */
export async function readProject(
  session: Session,
  keyspace: string,
  id: ProjectId,
  serial: number,
  signal: AbortSignal | undefined,
  pageRows = PAGE_ROWS,
): Promise<Project | undefined> {
  const query = `SELECT * FROM ${keyspace}.project WHERE project_id = ?`
  const options: QueryOptions = {
    prepare: true,
    isIdempotent: true,
    consistency: serial,
    fetchSize: pageRows,
  }
  const call: Call = { what: `read of project ${id}`, signal }
  let before: types.Row[] | undefined
  for (let collect = 0; collect < COLLECTS; collect++) {
    const rows: types.Row[] = []
    let pages = 0
    let pageState: string | null = null
    do {
      const page: types.ResultSet = await session.read(
        query,
        [id],
        pageState ? { ...options, pageState } : options,
        call,
      )
      for (const row of page.rows) rows.push(row)
      pageState = page.pageState
      pages++
    } while (pageState)
    if (pages === 1 || (before && areSame(before, rows))) return toProject(id, rows)
    before = rows
  }
  throw new StoreUnavailableError(`${call.what}: it changes faster than it can be read`, {
    hint: 'It has very many writes: scrub removes those that ended long ago.',
  })
}

function toProject(id: ProjectId, rows: readonly types.Row[]): Project | undefined {
  const [first] = rows
  if (first?.get('present') !== true) return undefined
  const writes = new Map<WriteId, WriteRow>()
  for (const row of rows)
    if (row.get('write_id') !== null) writes.set(row.get('write_id') as WriteId, toWriteRow(row))
  return { id, statics: toStatics(first), rows: writes }
}

function areSame(one: readonly types.Row[], other: readonly types.Row[]): boolean {
  return one.length === other.length && one.every((row, n) => textOf(row) === textOf(other[n]))
}

const textOf = (row: types.Row | undefined): string =>
  JSON.stringify(row?.values(), (_key, value) =>
    typeof value === 'bigint' ? String(value) : value instanceof Map ? [...value] : value,
  )
