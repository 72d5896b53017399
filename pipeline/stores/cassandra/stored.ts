/** All partitions of chunks by their keys, whoever they belong to, in the order of their tokens. */
import { type QueryOptions, types } from 'cassandra-driver'
import { TidepoolError } from '../../base/errors.ts'
import { projectId, writeId } from '../../base/ids.ts'
import type { CallOptions, StoredEntry } from '../contract.ts'
import type { Session } from './session.ts'

const OPTIONS: QueryOptions = {
  prepare: true,
  isIdempotent: true,
  consistency: types.consistencies.localQuorum,
  fetchSize: 500,
}

interface Place {
  readonly token: bigint
  readonly bucket: number
  readonly id: string
}

export async function* storedEntries(
  session: Session,
  table: string,
  { after, signal }: CallOptions & { readonly after?: string } = {},
): AsyncGenerator<StoredEntry> {
  const from = after === undefined ? undefined : parseCursor(after)
  const select = `SELECT DISTINCT write_id, bucket, project_id, token(write_id, bucket) AS place FROM ${table}`
  const call = { what: 'list of all chunks', signal }
  const rows = from
    ? session.rows(`${select} WHERE token(write_id, bucket) >= ?`, [from.token], OPTIONS, call)
    : session.rows(select, [], OPTIONS, call)
  for await (const row of rows) {
    const place = {
      token: row.get('place') as bigint,
      bucket: row.get('bucket') as number,
      id: row.get('write_id') as string,
    }
    if (from && !isBehind(place, from)) continue
    yield {
      project: orNull(projectId, row.get('project_id') as string | null),
      writeId: orNull(writeId, place.id),
      what: `partition (${place.id}, ${place.bucket}) of ${table}`,
      cursor: cursorOf(place),
    }
  }
}

export async function removeEntry(
  session: Session,
  removal: string,
  options: QueryOptions,
  entry: StoredEntry,
  { signal }: CallOptions = {},
): Promise<void> {
  const { id, bucket } = parseCursor(entry.cursor)
  await session.write(removal, [id, bucket], options, { what: `removal of ${entry.what}`, signal })
}

/** Several partitions may share a token; among them Cassandra sorts by the bytes of the key: length, text, number. */
function isBehind(place: Place, from: Place): boolean {
  if (place.token !== from.token) return place.token > from.token
  const [one, other] = [Buffer.from(place.id), Buffer.from(from.id)]
  if (one.length !== other.length) return one.length > other.length
  return (Buffer.compare(one, other) || place.bucket - from.bucket) > 0
}

const cursorOf = ({ token, bucket, id }: Place): string => `${token}/${bucket}/${id}`

function parseCursor(text: string): Place {
  const [, token, bucket, id] = /^(-?[0-9]{1,19})\/(-?[0-9]{1,10})\/(.*)$/s.exec(text) ?? []
  if (token === undefined || bucket === undefined || id === undefined)
    throw new TidepoolError('bad-cursor', `${JSON.stringify(text)} is no place in this store`, {
      hint: 'Begin at the start: another kind of store wrote it.',
    })
  return { token: BigInt(token), bucket: Number(bucket), id }
}

function orNull<T>(check: (text: string) => T, text: string | null): T | null {
  try {
    return text === null ? null : check(text)
  } catch {
    return null // somebody else's key: listed, judged by nobody
  }
}
