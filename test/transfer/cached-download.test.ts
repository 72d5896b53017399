import { readdirSync, statSync } from 'node:fs'
import {
  appendFile,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { newWriteId, type WriteId } from '../../pipeline/base/ids.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import type { BlobStore } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { StreamCache, type StreamCacheOptions } from '../../pipeline/stores/stream-cache/index.ts'
import { throughCache } from '../../pipeline/transfer/cached-download.ts'
import { extentOf } from '../../pipeline/transfer/restore.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { chance, int, pick, runSeed, seeded } from '../support/random.ts'
import { streamBytes } from '../support/stream-generator.ts'
import { KIB, putBytes, putSetting } from '../support/transfer.ts'

const test = suite('download through a cache')

const ROOMY = { maxBytes: 64n * 1024n * 1024n }

interface Stream {
  readonly writeId: WriteId
  readonly bytes: Buffer
}

/** Streams in a store, a cache on a directory, and reads through it. */
async function withCache(
  body: (world: {
    directory: string
    streams: readonly Stream[]
    /** Opens the directory anew, as the next process does. */
    again: (options?: Partial<StreamCacheOptions>) => Promise<Reader>
    damageStore: (stream: Stream) => void
  }) => Promise<void>,
  sizes: readonly number[] = [500 * KIB],
): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    const store = memoryStore()
    const setting = await putSetting(store)
    const streams: Stream[] = []
    for (const [index, size] of sizes.entries()) {
      const bytes = await streamBytes({ seed: index, bytes: size, toGuid: BigInt(index + 1) })
      streams.push({ writeId: (await putBytes({ ...setting, place: () => 'side' }, bytes)).writeId, bytes })
    }
    const directory = join(path, 'cache')
    await body({
      directory,
      streams,
      again: async (options = {}) => {
        const problems: unknown[] = []
        const cache = await StreamCache.open(directory, {
          ...ROOMY,
          onProblem: (error) => problems.push(error),
          ...options,
        })
        return new Reader(cache, problems, setting)
      },
      damageStore: ({ writeId }) => {
        const chunk = store.state.blobs.get(writeId)?.chunks.get(1)
        if (chunk) chunk.data[10] = (chunk.data[10] ?? 0) ^ 1
      },
    })
  } finally {
    await remove()
  }
}

class Reader {
  readonly cache: StreamCache
  readonly problems: unknown[]
  limiter = fixedLimiter({ count: 8, maxBytes: 64 * 1024 * KIB })
  /** Chunks that the store was asked for. */
  asked = 0
  readonly #setting: Awaited<ReturnType<typeof putSetting>>

  constructor(cache: StreamCache, problems: unknown[], setting: Awaited<ReturnType<typeof putSetting>>) {
    this.cache = cache
    this.problems = problems
    this.#setting = setting
  }

  async *pieces({ writeId }: Stream, signal?: AbortSignal): AsyncGenerator<Buffer> {
    const { store, project } = this.#setting
    const row = (await store.catalogue.read(project))!.rows.get(writeId)!
    const blobs: Pick<BlobStore, 'open'> = {
      open: async (...args) => {
        const reader = await store.blobs.open(...args)
        return {
          get: (...asked) => {
            this.asked++
            return reader.get(...asked)
          },
          close: () => reader.close(),
        }
      },
    }
    const { limiter } = this
    yield* throughCache(this.cache)(blobs, extentOf(project, row), { limiter, priority: 'open', signal })
  }

  /** Reads all of it, and compares. How many chunks the store was asked for meanwhile. */
  async read(stream: Stream): Promise<number> {
    const before = this.asked
    const pieces: Buffer[] = []
    for await (const piece of this.pieces(stream)) pieces.push(Buffer.from(piece))
    assert.ok(Buffer.concat(pieces).equals(stream.bytes), 'the bytes are those that were put')
    return this.asked - before
  }
}

const nameOf = ({ writeId }: Stream): string => `${writeId}.zstream`

/** Without a pause in it: nothing new begins while it looks. */
function sizeOf(directory: string): number {
  let bytes = 0
  for (const name of readdirSync(directory))
    bytes += statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0
  return bytes
}

async function codeOfRead(reading: Promise<unknown>): Promise<string | undefined> {
  try {
    await reading
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

test('what was downloaded once is read from its file, also by the next process', () =>
  withCache(async ({ directory, streams: [stream], again }) => {
    const first = await again()
    assert.ok((await first.read(stream!)) > 0)
    assert.is(await first.read(stream!), 0)
    const next = await again()
    assert.is(await next.read(stream!), 0)
    const file = join(directory, nameOf(stream!))
    assert.ok((await readFile(file)).subarray(0, stream!.bytes.length).equals(stream!.bytes))
    assert.is((await stat(file)).mode & 0o777, 0o600)
    assert.is((await stat(directory)).mode & 0o777, 0o700)
    assert.equal(await readdir(directory), [nameOf(stream!)])
    assert.is(next.cache.state.keptBytes, (await stat(file)).size)
    assert.equal([...first.problems, ...next.problems], [])
  }))

/** In place: a file that is removed meanwhile must not come back. */
const flip = (at: (size: number) => number) => async (path: string) => {
  const file = await open(path, 'r+')
  try {
    const index = at((await file.stat()).size)
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, index)
    await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, index)
  } finally {
    await file.close()
  }
}

for (const [what, harm] of [
  ['truncated', (file: string) => truncate(file, 100 * KIB)],
  ['cut by one byte', async (file: string) => truncate(file, (await stat(file)).size - 1)],
  ['longer', (file: string) => appendFile(file, 'x')],
  ['flipped in its first byte', flip(() => 0)],
  ['flipped in the middle', flip((size) => size >> 1)],
  ['flipped in its digests', flip((size) => size - 1)],
  ['empty', (file: string) => truncate(file, 0)],
  ['gone', (file: string) => rm(file)],
] as const)
  for (const whose of ['this', 'the next'] as const)
    test(`a file that is ${what} under ${whose} process is not believed, and is replaced`, () =>
      withCache(async ({ directory, streams: [stream], again }) => {
        const reader = await again()
        await reader.read(stream!)
        await harm(join(directory, nameOf(stream!)))
        const now = whose === 'this' ? reader : await again()
        assert.ok((await now.read(stream!)) > 0)
        await now.read(stream!)
        assert.is(await now.read(stream!), 0, 'it is kept anew')
        const told = now.problems.map(codeOf)
        assert.equal(told, whose === 'this' || !/empty|gone/.test(what) ? ['cache-damaged'] : [])
        assert.is(now.cache.state.keptBytes, sizeOf(directory))
      }))

test('what is damaged in the store is not kept', () =>
  withCache(async ({ directory, streams: [stream], again, damageStore }) => {
    damageStore(stream!)
    const reader = await again()
    assert.is(await codeOfRead(reader.read(stream!)), 'write-damaged')
    assert.equal(await readdir(directory), [])
    assert.is(reader.cache.state.writingBytes, 0)
  }))

test('the least recently used one makes room, and what is larger than all room is not kept', () =>
  withCache(
    async ({ directory, streams, again }) => {
      const [a, b, c, large] = streams as [Stream, Stream, Stream, Stream]
      const reader = await again({ maxBytes: BigInt(250 * KIB) })
      await reader.read(a)
      await reader.read(b)
      assert.is(await reader.read(a), 0)
      await reader.read(c)
      assert.equal((await readdir(directory)).sort(), [nameOf(a), nameOf(c)].sort())
      await reader.read(large)
      assert.equal((await readdir(directory)).sort(), [nameOf(a), nameOf(c)].sort())
      assert.equal(reader.problems, [])
    },
    [100 * KIB, 100 * KIB, 100 * KIB, 300 * KIB],
  ))

test('the next process knows the order by time, keeps what fits, removes what was half written, leaves what is not ours', () =>
  withCache(
    async ({ directory, streams, again }) => {
      const [a, b, c] = streams as [Stream, Stream, Stream]
      const reader = await again()
      for (const stream of streams) await reader.read(stream)
      for (const [index, stream] of [b, c, a].entries())
        await utimes(join(directory, nameOf(stream)), index, index)
      await writeFile(join(directory, `${newWriteId()}.part`), 'half')
      await writeFile(join(directory, 'README'), 'of somebody')
      await again({ maxBytes: BigInt(250 * KIB) })
      assert.equal((await readdir(directory)).sort(), ['README', nameOf(a), nameOf(c)].sort())
      const last = await again({ maxBytes: BigInt(250 * KIB) })
      await last.read(b)
      assert.equal((await readdir(directory)).sort(), ['README', nameOf(a), nameOf(b)].sort())
    },
    [100 * KIB, 100 * KIB, 100 * KIB],
  ))

test('two who read the same at once both get it, and one file stays', () =>
  withCache(async ({ directory, streams: [stream], again }) => {
    const reader = await again()
    await Promise.all([reader.read(stream!), reader.read(stream!), reader.read(stream!)])
    assert.equal(await readdir(directory), [nameOf(stream!)])
    await Promise.all([reader.read(stream!), reader.read(stream!)])
    assert.is(reader.cache.state.writingBytes, 0)
    assert.is(reader.limiter.state.inFlight, 0)
    assert.is(await reader.read(stream!), 0)
  }))

test('left early, or ended by its signal, it keeps nothing and takes no room', () =>
  withCache(async ({ directory, streams: [stream], again }) => {
    const reader = await again()
    // Fewer than it has chunks, so that it has not all of them when it is ended.
    reader.limiter = fixedLimiter({ count: 2, maxBytes: 1024 * KIB })
    for await (const _ of reader.pieces(stream!)) break
    const ending = new AbortController()
    const reading = async (): Promise<void> => {
      for await (const _ of reader.pieces(stream!, ending.signal)) ending.abort(new Error('enough'))
    }
    try {
      await reading()
      assert.unreachable()
    } catch (error) {
      assert.is((error as Error).message, 'enough')
    }
    assert.equal(await readdir(directory), [])
    assert.is(reader.cache.state.writingBytes, 0)
    assert.is(reader.limiter.state.inFlight, 0)
    await reader.read(stream!)
    // And one that is read from its file.
    for await (const _ of reader.pieces(stream!)) break
    assert.is(await reader.read(stream!), 0)
  }))

test('what somebody reads is not removed to make room', () =>
  withCache(
    async ({ directory, streams, again }) => {
      const [a, b] = streams as [Stream, Stream]
      const reader = await again({ maxBytes: BigInt(250 * KIB) })
      await reader.read(a)
      for await (const _ of reader.pieces(a)) {
        await reader.read(b)
        assert.equal(await readdir(directory), [nameOf(a)])
        break
      }
      await reader.read(b)
      assert.equal(await readdir(directory), [nameOf(b)])
    },
    [200 * KIB, 200 * KIB],
  ))

/** Files that fail as they are told: at the so many-th write of each, at its close, or when they are opened. */
function failing(what: 'open' | 'close' | number, errno: string) {
  const fail = (): never => {
    throw Object.assign(new Error(`${errno}: by order`), { code: errno })
  }
  return async (path: string, flags: string, mode?: number): Promise<FileHandle> => {
    if (flags === 'r') return open(path, flags, mode)
    if (what === 'open') fail()
    const file = await open(path, flags, mode)
    let writes = 0
    return new Proxy(file, {
      get(target, key) {
        if (key === 'write')
          return (...args: Parameters<typeof file.write>) =>
            ++writes === what ? fail() : target.write(...args)
        if (key === 'close')
          return async () => {
            await target.close()
            if (what === 'close') fail()
          }
        const member: unknown = Reflect.get(target, key)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
  }
}

for (const what of ['open', 'close', 1, 4, 9] as const)
  test(`on a full disk (${typeof what === 'number' ? `write ${what}` : what}) the stream comes all the same, and nothing is left`, () =>
    withCache(async ({ directory, streams: [stream], again }) => {
      const reader = await again({ openFile: failing(what, 'ENOSPC') })
      await reader.read(stream!)
      assert.match(String(reader.problems[0]), 'ENOSPC')
      assert.is(reader.problems.length, 1)
      assert.equal(await readdir(directory), [])
      assert.is(reader.cache.state.writingBytes, 0)
      assert.is(reader.cache.state.keptBytes, 0)
    }))

test('a directory that goes away under it costs the cache and no stream', () =>
  withCache(async ({ directory, streams: [stream], again }) => {
    const reader = await again()
    await reader.read(stream!)
    await rm(directory, { recursive: true })
    assert.ok((await reader.read(stream!)) > 0)
    assert.ok((await reader.read(stream!)) > 0)
    assert.ok(reader.problems.length > 0)
    await mkdir(directory)
    await reader.read(stream!)
    assert.is(await reader.read(stream!), 0)
  }))

test('where it can keep nothing from the start it says so', () =>
  withCache(async ({ directory, again }) => {
    await writeFile(directory, 'a file')
    assert.is(await codeOfRead(again()), 'cache-unusable')
  }))

test('whatever is read at once, left or ended: the bytes are right and the bound holds at every moment', async () => {
  const seed = runSeed('stream cache')
  const random = seeded(seed)
  const sizes = Array.from({ length: 8 }, () => int(random, 10, 300) * KIB)
  await withCache(async ({ directory, streams, again }) => {
    const maxBytes = 500 * KIB
    for (let round = 0; round < 3; round++) {
      const reader = await again({ maxBytes: BigInt(maxBytes) })
      const one = async (): Promise<void> => {
        for (let turn = 0; turn < 8; turn++) {
          const stream = pick(random, streams)
          if (chance(random, 0.1))
            await flip((size) => size >> 1)(join(directory, nameOf(stream))).catch(() => {})
          let leftAfter = chance(random, 0.2) ? int(random, 1, 3) : Number.POSITIVE_INFINITY
          const pieces: Buffer[] = []
          for await (const piece of reader.pieces(stream)) {
            pieces.push(Buffer.from(piece))
            const { keptBytes, writingBytes } = reader.cache.state
            assert.ok(keptBytes + writingBytes <= maxBytes, `${keptBytes} + ${writingBytes}`)
            assert.ok(sizeOf(directory) <= maxBytes)
            if (--leftAfter <= 0) break
          }
          const got = Buffer.concat(pieces)
          assert.ok(got.equals(stream.bytes.subarray(0, leftAfter <= 0 ? got.length : undefined)))
        }
      }
      await Promise.all([one(), one(), one()])
      assert.is(reader.cache.state.writingBytes, 0)
      assert.is(reader.limiter.state.inFlight, 0)
      assert.is(sizeOf(directory), reader.cache.state.keptBytes)
    }
  }, sizes)
})

test.run()
