/** What every `BlobStore` promises, one test a promise: run over each driver, and over each wrapped one. */
import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { newWriteId, projectId } from '../../pipeline/base/ids.ts'
import { KIB } from '../../pipeline/base/units.ts'
import type { BlobStore, Chunk, StoredEntry, WriteExtent } from '../../pipeline/stores/contract.ts'
import { chunkLength } from '../../pipeline/transfer/manifest.ts'
import { bytes, int, type Random, runSeed, seeded, shuffled } from '../support/random.ts'

export interface OpenBlobs {
  readonly blobs: BlobStore
  /** Loses or cuts one chunk behind the store's back: the file, the row. */
  readonly damage: (write: WriteExtent, seq: number, how: 'lost' | 'shorter' | 'longer') => Promise<void>
  /** Loses a whole write behind the store's back, where removing it would be for ever. */
  readonly lose?: (write: WriteExtent) => Promise<void>
  /** Ends the store and leaves nothing behind. */
  readonly cleanup: () => Promise<void>
}

export interface BlobTraits {
  /** What was opened stays readable after it is removed. */
  readonly readersOutliveRemoval: boolean
}

const CHUNK = 64 * KIB
const PROJECT = projectId('contract')

export function blobStoreContract(name: string, open: () => Promise<OpenBlobs>, traits: BlobTraits): void {
  const test = suite(`${name}: blobs`)
  const random = seeded(runSeed(`${name}: blobs`))

  const check = (what: string, body: (opened: OpenBlobs) => Promise<void>): void => {
    test(what, async () => {
      const opened = await open()
      try {
        await body(opened)
      } finally {
        await opened.cleanup()
      }
    })
  }

  check('the default chunk size is one that a manifest may carry', async ({ blobs }) => {
    assert.ok(blobs.defaultChunkBytes >= 64 * KIB && blobs.defaultChunkBytes <= 4096 * KIB)
  })

  check('what was put in any order, many at a time, is got in any order', async ({ blobs }) => {
    const write = extent(CHUNK * 6 + int(random, 1, CHUNK - 1))
    const chunks = await store(blobs, write, random)
    const reader = await blobs.open(write)
    await Promise.all(shuffled(random, [...chunks.keys()]).map((seq) => isSame(reader.get(seq), chunks[seq])))
    await isSame(reader.get(2, { careful: true }), chunks[2])
    await reader.close()
  })

  check('a write of one short chunk, and one that ends exactly at a chunk, come back', async ({ blobs }) => {
    for (const length of [1, CHUNK, CHUNK * 2]) {
      const write = extent(length)
      const chunks = await store(blobs, write, random)
      const reader = await blobs.open(write)
      for (const [seq, chunk] of chunks.entries()) await isSame(reader.get(seq), chunk)
      await reader.close()
      assert.equal(await all(blobs.missing(write)), [])
    }
  })

  check('a buffer that is lent may be used for a chunk, and is left alone after that', async ({ blobs }) => {
    const write = extent(CHUNK * 3 + 7)
    const chunks = await store(blobs, write, random)
    const reader = await blobs.open(write)
    const into = Buffer.alloc(CHUNK)
    for (const seq of [3, 0, 2, 1]) {
      await isSame(reader.get(seq, { into }), chunks[seq])
      into.fill(0xee)
      await new Promise((resolve) => setImmediate(resolve))
      assert.ok(into.equals(Buffer.alloc(CHUNK, 0xee)))
    }
    await reader.close()
  })

  check('putting the same chunk again is no error', async ({ blobs }) => {
    const write = extent(CHUNK * 2)
    const chunks = draw(write, random)
    const writer = await blobs.create(write)
    for (const seq of [0, 1, 0, 1, 1])
      await writer.put(seq, chunks[seq]?.data as Buffer, chunks[seq]?.digest as Buffer)
    await writer.seal()
    await writer.close()
    const reader = await blobs.open(write)
    for (const [seq, chunk] of chunks.entries()) await isSame(reader.get(seq), chunk)
    await reader.close()
  })

  check('nobody looks at the data any more once put has settled', async ({ blobs }) => {
    const write = extent(CHUNK * 3)
    const chunks = draw(write, random)
    const writer = await blobs.create(write)
    const one = Buffer.alloc(CHUNK)
    for (const [seq, { data, digest }] of chunks.entries()) {
      data.copy(one)
      const copied = Buffer.from(digest)
      await writer.put(seq, one, copied)
      one.fill(0xee)
      copied.fill(0xee)
    }
    await writer.seal()
    await writer.close()
    const reader = await blobs.open(write)
    for (const [seq, chunk] of chunks.entries()) await isSame(reader.get(seq), chunk)
    await reader.close()
  })

  check('the digest that was put comes back, right or wrong', async ({ blobs }) => {
    const write = extent(10)
    const writer = await blobs.create(write)
    const digest = Buffer.alloc(32, 7)
    await writer.put(0, Buffer.from('0123456789'), digest)
    await writer.seal()
    await writer.close()
    const reader = await blobs.open(write)
    assert.ok((await reader.get(0)).digest.equals(digest))
    await reader.close()
  })

  check('two writes of one project, and one of another, keep apart', async ({ blobs }) => {
    const writes = [extent(CHUNK + 1), extent(CHUNK + 1), extent(CHUNK + 1, 'another')]
    const contents = await Promise.all(writes.map((write) => store(blobs, write, random)))
    for (const [index, write] of writes.entries()) {
      const reader = await blobs.open(write)
      await isSame(reader.get(1), contents[index]?.[1])
      await reader.close()
    }
  })

  check('a writer closes twice, also unsealed, and removes nothing', async ({ blobs }) => {
    const write = extent(CHUNK)
    const [chunk] = draw(write, random) as [Chunk]
    const writer = await blobs.create(write)
    await writer.put(0, chunk.data, chunk.digest)
    await writer.close()
    await writer.close()
    const reader = await blobs.open(write)
    await isSame(reader.get(0), chunk)
    await reader.close()
    await reader.close()
  })

  check('open or get of a write that is not there says chunk-missing', async ({ blobs }) => {
    const write = extent(CHUNK * 2)
    assert.is(await codeOfFirstRead(blobs, write, 0), 'chunk-missing')
    assert.equal(await all(blobs.missing(write)), [0, 1])
  })

  for (const how of ['lost', 'shorter', 'longer'] as const)
    check(`a chunk that is ${how} is chunk-missing to get and listed by missing`, async (opened) => {
      const { blobs } = opened
      const write = extent(CHUNK * 3 + 100)
      const chunks = await store(blobs, write, random)
      const last = write.chunkCount - 1
      await opened.damage(write, last, how)
      assert.equal(await all(blobs.missing(write)), [last])
      assert.is(await codeOfFirstRead(blobs, write, last), 'chunk-missing')
      const reader = await blobs.open(write)
      await isSame(reader.get(0), chunks[0])
      await reader.close()
    })

  check('missing lists in order what was never put, first, between and last', async ({ blobs }) => {
    const write = extent(CHUNK * 7)
    const chunks = draw(write, random)
    const writer = await blobs.create(write)
    for (const seq of [5, 1, 3, 4])
      await writer.put(seq, chunks[seq]?.data as Buffer, chunks[seq]?.digest as Buffer)
    await writer.seal()
    await writer.close()
    assert.equal(await all(blobs.missing(write)), [0, 2, 6])
  })

  check('mend puts back a lost chunk and replaces a damaged one, and leaves the others', async (opened) => {
    const { blobs } = opened
    const write = extent(CHUNK * 3 + 5)
    const chunks = await store(blobs, write, random)
    await opened.damage(write, 1, 'lost')
    await opened.damage(write, 3, 'longer')
    for (const seq of [1, 3]) await blobs.mend(write, seq, chunks[seq] as Chunk)
    await blobs.mend(write, 2, chunks[2] as Chunk)
    assert.equal(await all(blobs.missing(write)), [])
    const reader = await blobs.open(write)
    for (const [seq, chunk] of chunks.entries()) await isSame(reader.get(seq), chunk)
    await reader.close()
  })

  check('mend replaces bytes that do not match their digest', async ({ blobs }) => {
    const write = extent(CHUNK * 2)
    const chunks = draw(write, random)
    const writer = await blobs.create(write)
    const wrong = Buffer.alloc(CHUNK, 1)
    await writer.put(0, wrong, chunks[0]?.digest as Buffer)
    await writer.put(1, chunks[1]?.data as Buffer, chunks[1]?.digest as Buffer)
    await writer.seal()
    await writer.close()
    await blobs.mend(write, 0, chunks[0] as Chunk)
    const reader = await blobs.open(write)
    for (const [seq, chunk] of chunks.entries()) await isSame(reader.get(seq, { careful: true }), chunk)
    await reader.close()
  })

  check('mend brings back a write that is lost as a whole', async ({ blobs, lose }) => {
    const write = extent(CHUNK * 2 + 1)
    const chunks = await store(blobs, write, random)
    await (lose ? lose(write) : blobs.remove({ ...write, seqHigh: write.chunkCount }))
    for (const seq of [2, 0, 1]) await blobs.mend(write, seq, chunks[seq] as Chunk)
    assert.equal(await all(blobs.missing(write)), [])
    const reader = await blobs.open(write)
    for (const [seq, chunk] of chunks.entries()) await isSame(reader.get(seq), chunk)
    await reader.close()
  })

  check('remove takes every chunk of its write and none of another', async ({ blobs }) => {
    const write = extent(CHUNK * 5 + 1)
    const other = extent(CHUNK * 2)
    await store(blobs, write, random)
    const kept = await store(blobs, other, random)
    await blobs.remove({ ...write, seqHigh: write.chunkCount })
    assert.equal(await all(blobs.missing(write)), [0, 1, 2, 3, 4, 5])
    assert.is(await codeOfFirstRead(blobs, write, 3), 'chunk-missing')
    assert.not((await all(blobs.stored())).some((entry) => entry.writeId === write.writeId))
    const reader = await blobs.open(other)
    for (const [seq, chunk] of kept.entries()) await isSame(reader.get(seq), chunk)
    await reader.close()
  })

  check('removing what is not there, or again, is no error', async ({ blobs }) => {
    const write = extent(CHUNK)
    await blobs.remove({ ...write, seqHigh: 10 })
    await store(blobs, write, random)
    await blobs.remove({ ...write, seqHigh: 10 })
    await blobs.remove({ ...write, seqHigh: 10 })
    await blobs.remove({ ...write, seqHigh: 0 })
  })

  if (traits.readersOutliveRemoval)
    check('what was opened stays readable although it is removed', async ({ blobs }) => {
      const write = extent(CHUNK * 3)
      const chunks = await store(blobs, write, random)
      const reader = await blobs.open(write)
      await blobs.remove({ ...write, seqHigh: write.chunkCount })
      for (const [seq, chunk] of chunks.entries()) await isSame(reader.get(seq), chunk)
      await reader.close()
    })

  check(
    'stored lists every write, in an order that stays, and goes on behind a cursor',
    async ({ blobs }) => {
      const writes = Array.from({ length: 9 }, (_, i) => extent(CHUNK + 1, `project-${i % 3}`))
      for (const write of writes) await store(blobs, write, random)
      const entries = await all(blobs.stored())
      for (const { project, writeId } of writes)
        assert.ok(entries.some((entry) => entry.project === project && entry.writeId === writeId))
      assert.is(new Set(entries.map((entry) => entry.cursor)).size, entries.length)
      assert.equal(await all(blobs.stored()), entries)
      for (const [index, { cursor }] of entries.entries())
        assert.equal(await all(blobs.stored({ after: cursor })), entries.slice(index + 1))
    },
  )

  check(
    'removeStored removes what the entry names, so that nothing is left of a write',
    async ({ blobs }) => {
      const write = extent(CHUNK * 2 + 1)
      const other = extent(CHUNK)
      await store(blobs, write, random)
      const [kept] = (await store(blobs, other, random)) as [Chunk]
      const mine = (await all(blobs.stored())).filter((entry) => entry.writeId === write.writeId)
      assert.ok(mine.length > 0)
      for (const entry of mine) await blobs.removeStored(entry)
      for (const entry of mine) await blobs.removeStored(entry)
      assert.equal(await all(blobs.missing(write)), [0, 1, 2])
      const left = (await all(blobs.stored())).filter((entry: StoredEntry) => entry.writeId !== other.writeId)
      assert.equal(left, [])
      const reader = await blobs.open(other)
      await isSame(reader.get(0), kept)
      await reader.close()
    },
  )

  check('an aborted call rejects with the reason, and the store goes on', async ({ blobs }) => {
    const write = extent(CHUNK * 2)
    const [chunk] = (await store(blobs, write, random)) as [Chunk]
    const reason = new Error('left')
    const signal = AbortSignal.abort(reason)
    const writer = await blobs.create(extent(CHUNK))
    const reader = await blobs.open(write)
    const calls: Record<string, () => Promise<unknown>> = {
      create: () => blobs.create(extent(CHUNK), { signal }),
      put: () => writer.put(0, chunk.data, chunk.digest, { signal }),
      seal: () => writer.seal({ signal }),
      open: () => blobs.open(write, { signal }),
      get: () => reader.get(0, { signal }),
      missing: () => all(blobs.missing(write, { signal })),
      mend: () => blobs.mend(write, 0, chunk, { signal }),
      stored: () => all(blobs.stored({ signal })),
      removeStored: async () => {
        for await (const entry of blobs.stored()) return blobs.removeStored(entry, { signal })
      },
      remove: () => blobs.remove({ ...write, seqHigh: 2 }, { signal }),
    }
    for (const [what, call] of Object.entries(calls))
      assert.is(
        await call().then(
          () => `${what} resolved`,
          (error: unknown) => error,
        ),
        reason,
        what,
      )
    await isSame(reader.get(0), chunk)
    await reader.close()
    await writer.close()
  })

  check('an abort in the middle leaves nobody looking at the data', async ({ blobs }) => {
    const write = extent(CHUNK * 8)
    const chunks = draw(write, random)
    const writer = await blobs.create(write)
    const control = new AbortController()
    const reason = new Error('left')
    const puts = chunks.map(({ data, digest }, seq) =>
      writer.put(seq, data, digest, { signal: control.signal }).then(
        () => undefined,
        (error: unknown) => error,
      ),
    )
    control.abort(reason)
    for (const outcome of await Promise.all(puts)) assert.ok(outcome === undefined || outcome === reason)
    for (const [seq, { data, digest }] of chunks.entries()) await writer.put(seq, data, digest)
    await writer.seal()
    await writer.close()
    assert.equal(await all(blobs.missing(write)), [])
  })

  test.run()
}

/** What a write of so many bytes is. */
export function extent(length: number, project = 'contract'): WriteExtent {
  return {
    project: project === 'contract' ? PROJECT : projectId(project),
    writeId: newWriteId(),
    chunkBytes: CHUNK,
    bytes: BigInt(length),
    chunkCount: Math.ceil(length / CHUNK),
  }
}

/** Random chunks for the whole of a write. */
export function draw(write: WriteExtent, random: Random): Chunk[] {
  return Array.from({ length: write.chunkCount }, (_, seq) => {
    const data = bytes(random, chunkLength(write, seq))
    return { data, digest: createHash('sha256').update(data).digest() }
  })
}

/** Puts all of a write's chunks at once, in random order, and seals it. */
export async function store(blobs: BlobStore, write: WriteExtent, random: Random): Promise<Chunk[]> {
  const chunks = draw(write, random)
  const writer = await blobs.create(write)
  await Promise.all(
    shuffled(random, [...chunks.entries()]).map(([seq, { data, digest }]) => writer.put(seq, data, digest)),
  )
  await writer.seal()
  await writer.close()
  return chunks
}

async function codeOfFirstRead(
  blobs: BlobStore,
  write: WriteExtent,
  seq: number,
): Promise<string | undefined> {
  let reader: Awaited<ReturnType<BlobStore['open']>> | undefined
  try {
    reader = await blobs.open(write)
    await reader.get(seq)
    return 'nothing'
  } catch (error) {
    return codeOf(error)
  } finally {
    await reader?.close()
  }
}

async function isSame(got: Promise<Chunk>, expected: Chunk | undefined): Promise<void> {
  const { data, digest } = await got
  assert.ok(expected && data.equals(expected.data), 'the data')
  assert.ok(digest.equals(expected.digest), 'the digest')
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
