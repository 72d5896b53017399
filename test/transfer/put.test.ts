import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import type { Guid } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { putStream } from '../../pipeline/transfer/put.ts'
import { streamBytes } from '../support/stream-generator.ts'
import { fetchBytes, headOf, inPieces, KIB, putBytes, putSetting } from '../support/transfer.ts'

const put = suite('put')

const full = (seed: number, toGuid: bigint, bytes = 300 * KIB) => streamBytes({ seed, bytes, toGuid })
const step = (seed: number, fromGuid: bigint, toGuid: bigint) =>
  streamBytes({ seed, bytes: 100 * KIB, fromGuid, toGuid })

async function rejected(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it was not rejected')
}

put('stores what came and moves the head', async () => {
  const setting = await putSetting()
  const bytes = await full(1, 11n)
  const done = await putBytes(setting, bytes)
  assert.is(done.placement, 'head')
  assert.is(await headOf(setting), '11')
  assert.ok((await fetchBytes(setting, done.writeId)).equals(bytes))
  assert.is(done.manifest.bytes, BigInt(bytes.length))
  assert.is(done.manifest.chunkCount, 5)
})

for (const bytes of [64 * KIB, 128 * KIB, 64 * KIB + 8, 192 * KIB - 8])
  put(`brings back ${bytes} bytes in chunks of 64 KiB`, async () => {
    const setting = await putSetting()
    const stream = await full(bytes, 5n, bytes)
    const { writeId } = await putBytes(setting, stream)
    assert.ok((await fetchBytes(setting, writeId)).equals(stream))
  })

put('places steps, side points and parallel edges', async () => {
  const setting = await putSetting()
  await putBytes(setting, await full(1, 1n))
  assert.is((await putBytes(setting, await step(2, 1n, 2n))).placement, 'head')
  assert.is((await putBytes(setting, await step(3, 1n, 3n))).placement, 'side')
  const parallel = await putBytes(setting, await full(4, 2n, 20 * KIB))
  assert.is(parallel.placement, 'parallel')
  const project = await setting.store.catalogue.read(setting.project)
  assert.is(project?.statics.head, '2')
  assert.equal(project?.statics.kept, { '3': 'side' })
})

put('refuses a step from nowhere, and the store hears nothing of it', async () => {
  const store = memoryStore()
  const setting = await putSetting(store)
  assert.is(codeOf(await rejected(putBytes(setting, await step(1, 7n, 8n)))), 'base-unknown')
  assert.is(store.state.blobs.size, 0)
  assert.is((await store.catalogue.read(setting.project))?.rows.size, 0)
})

put('never commits a truncated stream and leaves nothing of it', async () => {
  const store = memoryStore()
  const setting = await putSetting(store)
  const bytes = await full(1, 1n)
  for (const length of [0, 100, 312, 70_000, bytes.length - 8]) {
    const code = codeOf(await rejected(putBytes(setting, bytes.subarray(0, length))))
    assert.ok(code === 'stream-truncated' || code === 'stream-empty', `${length}: ${code}`)
  }
  assert.is(await headOf(setting), null)
  assert.is(store.state.blobs.size, 0)
  assert.is(setting.limiter.state.inFlight, 0)
})

put('an abort in the middle ends the source, the write and its chunks', async () => {
  const store = memoryStore()
  const setting = await putSetting(store)
  const bytes = await full(1, 1n)
  const stop = new AbortController()
  let closed = false
  const source = async function* (signal: AbortSignal) {
    try {
      yield* inPieces(bytes.subarray(0, 150 * KIB))
      setTimeout(() => stop.abort(new Error('enough')), 5)
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    } finally {
      closed = true
    }
  }
  const error = await rejected(putStream(source, { ...setting, signal: stop.signal }))
  assert.is((error as Error).message, 'enough')
  assert.ok(closed)
  assert.is(store.state.blobs.size, 0)
  assert.equal(
    [...(store.state.projects.get(setting.project)?.rows.values() ?? [])].map((row) => row.state),
    ['deleted'],
  )
  assert.is(setting.limiter.state.inFlight, 0)
})

put('what does not hold at the end of its source is not committed, and leaves nothing', async () => {
  const store = memoryStore()
  const setting = await putSetting(store)
  const bytes = await full(1, 1n)
  let over = false
  let overWhenAsked: boolean | undefined
  const source = async function* () {
    yield* inPieces(bytes)
    over = true
  }
  const verify = async (): Promise<void> => {
    overWhenAsked = over
    throw new Error('it has gone')
  }
  const error = await rejected(putStream(source, { ...setting, verify }))
  assert.is((error as Error).message, 'it has gone')
  assert.is(overWhenAsked, true)
  assert.is(await headOf(setting), null)
  assert.is(store.state.blobs.size, 0)
  await putStream(source, { ...setting, verify: async () => {} })
  assert.is(await headOf(setting), '1')
})

put('a store that fails ends a source that is silent', async () => {
  const store = memoryStore()
  const setting = await putSetting(store)
  const { blobs } = store
  const failing = {
    ...store,
    blobs: {
      ...blobs,
      async create(...args: Parameters<typeof blobs.create>) {
        const writer = await blobs.create(...args)
        return {
          ...writer,
          async put() {
            throw new Error('no disk')
          },
        }
      },
    },
  }
  const bytes = await full(1, 1n)
  const source = async function* (signal: AbortSignal) {
    yield* inPieces(bytes.subarray(0, 150 * KIB))
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }
  const error = await rejected(putStream(source, { ...setting, store: failing }))
  assert.is((error as Error).message, 'no disk')
})

put('another owner meanwhile: nothing is committed', async () => {
  const store = memoryStore()
  const setting = await putSetting(store)
  const bytes = await full(1, 1n)
  const source = async function* () {
    yield* inPieces(bytes)
    const project = store.state.projects.get(setting.project)
    if (!project) throw new Error('no project')
    const statics = { ...project.statics, owner: null, epoch: 2n, rev: 2n }
    store.state.projects.set(project.id, { ...project, statics })
  }
  assert.is(codeOf(await rejected(putStream(source, setting))), 'commit-refused')
  assert.is((await store.catalogue.read(setting.project))?.statics.head, null as Guid | null)
  assert.is(store.state.blobs.size, 0)
})

put.run()
