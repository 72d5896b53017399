import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fixedLimiter, type Limiter } from '../../pipeline/limit/limiter.ts'
import { verifyWrite } from '../../pipeline/scrub/verify.ts'
import type { BlobReader, BlobStore, Chunk } from '../../pipeline/stores/contract.ts'
import { digestOf } from '../../pipeline/transfer/digest.ts'
import { World } from '../support/scrub-world.ts'

const test = suite('scrub: deep')

async function oneWrite(chunks = 9) {
  const world = await World.make()
  const id = await world.project('p')
  const row = await world.commit(id, { to: 1, chunks })
  const stored: Map<number, Chunk> = world.state.blobs.get(row.writeId)?.chunks ?? new Map()
  const damage = (seq: number, change: Partial<Chunk>): void => {
    const chunk = stored.get(seq)
    assert.ok(chunk)
    stored.set(seq, { ...chunk, ...change })
  }
  return { world, id, row, stored, damage }
}

/** Counts readers and lets tests stand between a reader and its chunks. */
function watching(
  world: World,
  get: (reader: BlobReader, ...args: Parameters<BlobReader['get']>) => Promise<Chunk>,
) {
  const counts = { open: 0, running: 0, most: 0 }
  const blobs: BlobStore = {
    ...world.store.blobs,
    async open(...args) {
      const reader = await world.store.blobs.open(...args)
      counts.open++
      return {
        async get(...args) {
          counts.most = Math.max(counts.most, ++counts.running)
          try {
            return await get(reader, ...args)
          } finally {
            counts.running--
          }
        },
        async close() {
          counts.open--
          await reader.close()
        },
      }
    },
  }
  return { store: { ...world.store, blobs }, counts }
}

test('every byte of a whole write is read once, and progress is told', async () => {
  const { world, id, row } = await oneWrite()
  const seen: number[] = []
  const report = await verifyWrite(world.store, id, row, { onProgress: ({ chunks }) => seen.push(chunks) })
  assert.is(report.outcome, 'whole')
  assert.is(report.bytes, row.manifest?.bytes)
  assert.equal(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a chunk whose bytes changed, and one that is missing, are told apart', async () => {
  const { world, id, row, stored, damage } = await oneWrite()
  damage(3, { data: Buffer.alloc(64, 'x') })
  stored.delete(5)
  const report = await verifyWrite(world.store, id, row)
  assert.is(report.outcome, 'damaged')
  assert.equal([report.damaged.named, report.missing.named, report.rootDiffers], [[3], [5], false])
  const { kinds, summary } = await world.scrub({ depth: 'deep' })
  assert.equal(kinds, ['chunk-missing none', 'chunk-damaged none'])
  assert.is(summary.damagedWrites, 1)
})

test('a chunk that was replaced together with its digest shows in the root', async () => {
  const { world, id, row, damage } = await oneWrite()
  const data = Buffer.alloc(64, 'x')
  damage(3, { data, digest: digestOf(data) })
  const report = await verifyWrite(world.store, id, row)
  assert.equal([report.outcome, report.damaged.count, report.rootDiffers], ['damaged', 0, true])
  assert.equal((await world.scrub({ depth: 'deep' })).kinds, ['root-mismatch none'])
})

test('what a careful look finds whole is late', async () => {
  const { world, id, row } = await oneWrite()
  const { store } = watching(world, async (reader, seq, options) => {
    const chunk = await reader.get(seq, options)
    return options?.careful || seq !== 2 ? chunk : { ...chunk, data: Buffer.alloc(64, 'x') }
  })
  const report = await verifyWrite(store, id, row)
  assert.equal([report.outcome, report.lateCount], ['whole', 1])
})

test('a sample reads its part, the same part with the same seed, and looks at the rest', async () => {
  const { world, id, row, stored } = await oneWrite(1000)
  const read = async (seed: string): Promise<number[]> => {
    const seen: number[] = []
    const { store } = watching(world, (reader, seq, options) => {
      seen.push(seq)
      return reader.get(seq, options)
    })
    assert.is((await verifyWrite(store, id, row, { sample: 0.1, seed })).outcome, 'whole')
    return seen
  }
  const one = await read('one')
  assert.ok(one.length > 50 && one.length < 200, String(one.length))
  assert.equal(await read('one'), one)
  assert.not.equal(await read('other'), one)
  const unread = Array.from({ length: 1000 }, (_, seq) => seq).find((seq) => !one.includes(seq)) ?? 0
  stored.delete(unread)
  const report = await verifyWrite(world.store, id, row, { sample: 0.1, seed: 'one' })
  assert.equal(report.missing.named, [unread])
})

test('a write that is taken away while it is read is gone, not damaged', async () => {
  const { world, id, row, stored } = await oneWrite()
  await world.commit(id, { to: 1, chunks: 1, side: true })
  const { store } = watching(world, async (reader, seq, options) => {
    if (seq === 4 && stored.size > 0) {
      await world.supersede(id, row)
      stored.clear()
    }
    return reader.get(seq, options)
  })
  assert.is((await verifyWrite(store, id, row)).outcome, 'gone')
})

test('reading ahead has a limit, takes permits behind all other work, and gives all of them back', async () => {
  const { world, id, row } = await oneWrite(300)
  const inner = fixedLimiter({ count: 3, maxBytes: 1024 })
  const priorities = new Set<string>()
  const limiter: Limiter = {
    acquire: (bytes, options) => {
      priorities.add(options.priority)
      return inner.acquire(bytes, options)
    },
    observe: () => {},
    get state() {
      return inner.state
    },
  }
  const { store, counts } = watching(world, async (reader, seq, options) => {
    await new Promise(setImmediate)
    return reader.get(seq, options)
  })
  await verifyWrite(store, id, row, { limiter })
  assert.equal([...priorities], ['scrub'])
  assert.is(counts.most, 3)
  assert.equal([inner.state.inFlight, inner.state.waiting], [0, 0])
})

test('an abort, or a store that fails, ends it with everything settled', async () => {
  const { world, id, row } = await oneWrite(100)
  const limiter = fixedLimiter({ count: 8, maxBytes: 1024 * 1024 })
  const stop = new AbortController()
  const reason = new Error('enough')
  for (const how of ['failure', 'abort'] as const) {
    const { store, counts } = watching(world, async (reader, seq, options) => {
      await new Promise(setImmediate)
      if (seq === 20 && how === 'failure') throw reason
      if (seq === 20) stop.abort(reason)
      return reader.get(seq, options)
    })
    const error = await verifyWrite(store, id, row, { limiter, signal: stop.signal }).catch((e: unknown) => e)
    assert.is(error, reason, how)
    assert.equal([counts.open, counts.running, limiter.state.inFlight], [0, 0, 0], how)
  }
})

test('a sample that is no part of a whole is refused', async () => {
  const { world, id, row } = await oneWrite(1)
  for (const sample of [-0.1, 1.1, Number.NaN]) {
    const error = await verifyWrite(world.store, id, row, { sample }).catch((e: unknown) => e)
    assert.instance(error, RangeError)
  }
})

test.run()
