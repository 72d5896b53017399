/**
 * Chunks in the table `chunk`. Timestamps are chosen and not taken from a clock: inserted with 1, mended with one
 * more than is there, removed with a million. So no host's clock decides whether a removal wins, and a chunk that
 * comes late stays removed.
 */
import { createHash } from 'node:crypto'
import { type QueryOptions, types } from 'cassandra-driver'
import { TidepoolError } from '../../base/errors.ts'
import { MIB } from '../../base/units.ts'
import { chunkLength, MAX_CHUNK_BYTES } from '../../transfer/manifest.ts'
import type { BlobReader, BlobStore, BlobWriter, Chunk, WriteExtent, WriteRef } from '../contract.ts'
import { bucketOf, bucketsBelow } from './buckets.ts'
import { missingChunks } from './missing.ts'
import type { Session } from './session.ts'
import { removeEntry, storedEntries } from './stored.ts'

/**
 * Of 256 KiB, 512 KiB and 1 MiB the largest was the quickest, by a fifth to a third both ways, even on a heap whose regions are
 * no larger than that; more than this is past what makers of such stores advise.
 */
export const DEFAULT_CHUNK_BYTES = MIB
/** Removals ask for whole partitions, so a few at a time keep a node busy. */
const REMOVALS_AT_ONCE = 16
export const REMOVED_AT = 1_000_000

const { localOne, localQuorum, quorum } = types.consistencies
const WRITE: QueryOptions = { prepare: true, isIdempotent: true, consistency: localQuorum }
const readAt = (consistency: number): QueryOptions => ({ prepare: true, isIdempotent: true, consistency })
/** A chunk proves itself by its digest, so one copy is asked first, and more only where it fails. */
const QUICK = [readAt(localOne)]
const CAREFUL = [readAt(localQuorum), readAt(quorum)]

export function cassandraBlobs(session: Session, keyspace: string): BlobStore {
  const table = `${keyspace}.chunk`
  const columns = '(write_id, bucket, seq, project_id, len, sha256, data) VALUES (?, ?, ?, ?, ?, ?, ?)'
  const insertion = `INSERT INTO ${table} ${columns} USING TIMESTAMP 1`
  const mending = `INSERT INTO ${table} ${columns} USING TIMESTAMP ?`
  const key = 'WHERE write_id = ? AND bucket = ? AND seq = ?'
  const selection = `SELECT len, sha256, data FROM ${table} ${key}`
  const age = `SELECT writetime(data) AS at FROM ${table} ${key}`
  const removal = `DELETE FROM ${table} USING TIMESTAMP ${REMOVED_AT} WHERE write_id = ? AND bucket = ?`

  const writer = (write: WriteRef): BlobWriter => {
    let isClosed = false
    const open = (): void => {
      if (isClosed)
        throw new TidepoolError('writer-closed', `the writer of ${write.writeId} is closed`, {
          hint: 'This is a fault of the program: please report it.',
        })
    }
    return {
      async put(seq, data, digest, { signal } = {}) {
        open()
        checkChunk(write, seq, data)
        const params = [write.writeId, bucketOf(seq), seq, write.project, data.length, digest, data]
        await session.write(insertion, params, WRITE, { what: `put of ${name(write, seq)}`, signal })
      },
      async seal({ signal } = {}) {
        signal?.throwIfAborted()
        open() // each chunk was acknowledged by a quorum: there is nothing left to do
      },
      async close() {
        isClosed = true
      },
    }
  }

  const reader = (write: WriteExtent): BlobReader => ({
    async get(seq, { signal, careful } = {}) {
      const params = [write.writeId, bucketOf(seq), seq]
      const what = `get of ${name(write, seq)}`
      let found: Chunk | undefined
      for (const options of careful ? CAREFUL : QUICK) {
        const result = await session.read(selection, params, options, { what, signal })
        found = toChunk(result.first(), chunkLength(write, seq)) ?? found
        // Who asks carefully has seen a chunk that was missing or wrong: a wrong one is no reason to stop looking.
        if (found && (!careful || provesItself(found))) return found
      }
      if (found) return found
      throw new TidepoolError(
        'chunk-missing',
        `${name(write, seq)} is not in the store, or not with its length`,
        { hint: `\`tidepool stream verify --write ${write.writeId}\` shows what else of it is missing.` },
      )
    },
    async close() {},
  })

  return {
    defaultChunkBytes: DEFAULT_CHUNK_BYTES,

    async create(write, { signal } = {}) {
      signal?.throwIfAborted()
      return writer(write)
    },

    async open(write, { signal } = {}) {
      signal?.throwIfAborted()
      return reader(write)
    },

    async remove({ writeId, seqHigh }, { signal } = {}) {
      signal?.throwIfAborted()
      const buckets = bucketsBelow(seqHigh)
      for (let first = 0; first < buckets; first += REMOVALS_AT_ONCE) {
        const some = Array.from({ length: Math.min(REMOVALS_AT_ONCE, buckets - first) }, (_, n) => first + n)
        const call = { what: `removal of write ${writeId}`, signal }
        await allSettled(some.map((bucket) => session.write(removal, [writeId, bucket], WRITE, call)))
      }
    },

    missing: (write, options) => missingChunks(session, table, write, options),

    async mend(write, seq, chunk, { signal } = {}) {
      checkChunk(write, seq, chunk.data)
      const what = `mending of ${name(write, seq)}`
      const params = [write.writeId, bucketOf(seq), seq]
      const written = await session.read(age, params, readAt(quorum), { what, signal })
      const at = ((written.first()?.get('at') as bigint | null | undefined) ?? 1n) + 1n
      if (at >= BigInt(REMOVED_AT))
        throw new TidepoolError('chunk-unmendable', `${what}: it was removed or mended too often`, {
          hint: 'Send it again: `tidepool stream put` stores it as a new write.',
        })
      const values = [...params, write.project, chunk.data.length, chunk.digest, chunk.data, at]
      await session.write(mending, values, WRITE, { what, signal })
    },

    stored: (options) => storedEntries(session, table, options),
    removeStored: (entry, options) => removeEntry(session, removal, WRITE, entry, options),
    async close() {},
  }
}

const name = (write: WriteRef, seq: number): string => `chunk ${seq} of write ${write.writeId}`

function checkChunk(write: WriteRef, seq: number, { length }: Buffer): void {
  if (
    Number.isInteger(seq) &&
    seq >= 0 &&
    seq < 2 ** 31 &&
    length > 0 &&
    length <= Math.min(write.chunkBytes, MAX_CHUNK_BYTES)
  )
    return
  throw new TidepoolError(
    'chunk-out-of-range',
    `${name(write, seq)} of ${length} bytes is not one that can be stored`,
    {
      hint: `A chunk has 1 to ${Math.min(write.chunkBytes, MAX_CHUNK_BYTES)} bytes here.`,
    },
  )
}

function toChunk(row: types.Row | null, length: number): Chunk | undefined {
  const data = row?.get('data') as Buffer | null | undefined
  const digest = row?.get('sha256') as Buffer | null | undefined
  if (!data || !digest || data.length !== length) return undefined
  // The digest is kept for longer than the chunk, and would keep the whole frame in memory that both lie in.
  return { data, digest: Buffer.from(digest) }
}

const provesItself = ({ data, digest }: Chunk): boolean =>
  createHash('sha256').update(data).digest().equals(digest)

/** Throws the first failure when all have ended. */
async function allSettled(work: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(work)
  await Promise.all(work)
}
