/** Looks which chunks of a write are there by their keys and lengths alone. */
import { type QueryOptions, types } from 'cassandra-driver'
import { chunkLength } from '../../transfer/manifest.ts'
import type { CallOptions, WriteExtent } from '../contract.ts'
import { bucketOf, ROWS, STRIPES } from './buckets.ts'
import type { Session } from './session.ts'

const OPTIONS: QueryOptions = {
  prepare: true,
  isIdempotent: true,
  consistency: types.consistencies.localQuorum,
}

/** The partitions that hold a run of neighbours are asked together: 256 chunks a step, in order. */
export async function* missingChunks(
  session: Session,
  table: string,
  write: WriteExtent,
  { signal }: CallOptions = {},
): AsyncGenerator<number> {
  const query = `SELECT seq, len FROM ${table} WHERE write_id = ? AND bucket = ?`
  const step = STRIPES * ROWS
  for (let first = 0; first < write.chunkCount; first += step) {
    const end = Math.min(first + step, write.chunkCount)
    const buckets = Array.from({ length: Math.min(STRIPES, end - first) }, (_, n) => bucketOf(first + n))
    const call = { what: `look for the chunks of write ${write.writeId}`, signal }
    const asked = buckets.map((bucket) => session.read(query, [write.writeId, bucket], OPTIONS, call))
    await Promise.allSettled(asked)
    const lengths = new Map<number, number>()
    for (const { rows } of await Promise.all(asked))
      for (const row of rows) lengths.set(row.get('seq') as number, row.get('len') as number)
    for (let seq = first; seq < end; seq++) if (lengths.get(seq) !== chunkLength(write, seq)) yield seq
  }
}
