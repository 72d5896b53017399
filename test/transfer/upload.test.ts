import { setImmediate as turn } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import type { BlobWriter } from '../../pipeline/stores/contract.ts'
import { digestOf, RootDigest } from '../../pipeline/transfer/digest.ts'
import { upload } from '../../pipeline/transfer/upload.ts'
import { int, bytes as randomBytes, seeded } from '../support/random.ts'
import { inPieces } from '../support/transfer.ts'

const uploading = suite('upload')

/** Chunks are small here, so that many are in flight: nothing in an upload looks at their size. */
const CHUNK = 100

function recorder(put: (seq: number) => Promise<void> = async () => {}) {
  const chunks = new Map<number, Buffer>()
  let running = 0
  let runningMax = 0
  const writer: BlobWriter = {
    async put(seq, data, digest) {
      runningMax = Math.max(runningMax, ++running)
      try {
        await put(seq)
        assert.ok(digestOf(data).equals(digest))
        chunks.set(seq, Buffer.from(data))
      } finally {
        running--
      }
    },
    async seal() {},
    async close() {},
  }
  return { writer, chunks, running: () => running, runningMax: () => runningMax }
}

function options(writer: BlobWriter, count = 5) {
  const limiter = fixedLimiter({ count, maxBytes: 1e9 })
  return {
    writer,
    chunkBytes: CHUNK,
    limiter,
    priority: 'save' as const,
    reserved: 1e9,
    reserve: async () => {},
  }
}

uploading('stores each byte once, in whatever order the puts end', async () => {
  const random = seeded(7)
  for (const length of [1, 99, 100, 101, 2500, 2537]) {
    const data = randomBytes(random, length)
    const { writer, chunks } = recorder(async () => {
      for (let turns = int(random, 0, 4); turns > 0; turns--) await turn()
    })
    const uploaded = await upload(() => inPieces(data, 37), options(writer))
    const ordered = [...chunks].sort(([a], [b]) => a - b).map(([, chunk]) => chunk)
    assert.ok(Buffer.concat(ordered).equals(data))
    const root = new RootDigest()
    for (const chunk of ordered) root.add(digestOf(chunk))
    assert.equal(uploaded, {
      bytes: BigInt(length),
      chunkCount: Math.ceil(length / CHUNK),
      rootDigest: root.end(),
    })
  }
})

uploading('pulls no byte that has no permit', async () => {
  let pulled = 0
  const source = async function* () {
    while (pulled++ < 40) yield Buffer.alloc(CHUNK)
  }
  let open: () => void = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const { writer, runningMax } = recorder(() => gate)
  const uploading = upload(source, options(writer, 3))
  for (let turns = 0; turns < 20; turns++) await turn()
  assert.is(pulled, 3)
  open()
  await uploading
  assert.is(runningMax(), 3)
})

uploading('settles all that it started before it fails, and gives every permit back', async () => {
  const { writer, running } = recorder(async (seq) => {
    await turn()
    if (seq === 4) throw new Error('no more')
    await turn()
  })
  const settings = options(writer)
  let closed = false
  const source = async function* () {
    try {
      for (;;) yield Buffer.alloc(CHUNK)
    } finally {
      closed = true
    }
  }
  try {
    await upload(source, settings)
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'no more')
  }
  assert.is(running(), 0)
  assert.ok(closed)
  assert.is(settings.limiter.state.inFlight, 0)
})

uploading("a source's failure comes out as it is", async () => {
  const broken = new Error('zfs send died')
  const { writer } = recorder()
  const source = async function* () {
    yield Buffer.alloc(250)
    throw broken
  }
  try {
    await upload(source, options(writer))
    assert.unreachable()
  } catch (error) {
    assert.is(error, broken)
  }
})

uploading('nothing begins under a signal that has fired', async () => {
  let opened = false
  const source = async function* () {
    opened = true
    yield Buffer.alloc(1)
  }
  try {
    await upload(source, { ...options(recorder().writer), signal: AbortSignal.abort(new Error('before')) })
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'before')
  }
  assert.not.ok(opened)
})

uploading('raises the mark before it writes past it, seldom', async () => {
  const marks: number[] = []
  let mark = 4
  const { writer } = recorder(async (seq) => {
    assert.ok(seq < mark, `chunk ${seq} was put below mark ${mark}`)
  })
  await upload(() => inPieces(Buffer.alloc(300 * CHUNK)), {
    ...options(writer),
    reserved: mark,
    reserve: async (seqHigh) => {
      await turn()
      mark = seqHigh
      marks.push(seqHigh)
    },
  })
  assert.equal(marks, [68, 136, 272, 544, 1088])
  // The last was asked for half-way to it and never needed.
})

uploading('a mark that cannot be raised ends it', async () => {
  const { writer, chunks } = recorder()
  try {
    await upload(() => inPieces(Buffer.alloc(10 * CHUNK)), {
      ...options(writer),
      reserved: 2,
      reserve: () => Promise.reject(Object.assign(new Error('fenced'), { code: 'x' })),
    })
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'fenced')
    assert.is(codeOf(error), undefined)
  }
  assert.is(chunks.size, 2)
})

uploading.run()
