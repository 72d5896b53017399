import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { download } from '../../pipeline/transfer/download.ts'
import { extentOf } from '../../pipeline/transfer/restore.ts'
import { streamBytes } from '../support/stream-generator.ts'
import { fetchBytes, KIB, putBytes, putSetting } from '../support/transfer.ts'

const get = suite('download')

async function stored() {
  const store = memoryStore()
  const setting = await putSetting(store)
  const bytes = await streamBytes({ seed: 1, bytes: 1000 * KIB, toGuid: 1n })
  const { writeId } = await putBytes(setting, bytes)
  const row = store.state.projects.get(setting.project)?.rows.get(writeId)
  const chunks = store.state.blobs.get(writeId)?.chunks
  if (!row || !chunks) throw new Error('nothing was stored')
  return { store, setting, bytes, writeId, row, chunks, extent: extentOf(setting.project, row) }
}

async function codeOfFetch(fetching: Promise<unknown>): Promise<string | undefined> {
  try {
    await fetching
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

get('finds a flipped bit in any chunk', async () => {
  for (const seq of [0, 7, 15]) {
    const { setting, writeId, chunks } = await stored()
    const data = chunks.get(seq)?.data
    if (data) data[100] = (data[100] ?? 0) ^ 4
    assert.is(await codeOfFetch(fetchBytes(setting, writeId)), 'write-damaged')
  }
})

get('finds chunks that were exchanged, which only the root digest can show', async () => {
  const { setting, writeId, chunks } = await stored()
  const [a, b] = [chunks.get(3), chunks.get(4)]
  if (a && b) chunks.set(3, b).set(4, a)
  assert.is(await codeOfFetch(fetchBytes(setting, writeId)), 'write-damaged')
})

get('looks a second time, more carefully, before it calls a chunk missing or damaged', async () => {
  const { setting, writeId, bytes, store } = await stored()
  const { blobs } = store
  let careful = 0
  const forgetful = {
    ...blobs,
    async open(...args: Parameters<typeof blobs.open>) {
      const reader = await blobs.open(...args)
      return {
        ...reader,
        async get(...[seq, options]: Parameters<typeof reader.get>) {
          const chunk = await reader.get(seq, options)
          if (options?.careful) careful++
          else if (seq % 3 === 0) return { ...chunk, data: Buffer.alloc(chunk.data.length) }
          return chunk
        },
      }
    },
  }
  assert.ok((await fetchBytes({ ...setting, store: { ...store, blobs: forgetful } }, writeId)).equals(bytes))
  assert.is(careful, 6)
})

get('a missing chunk is called missing', async () => {
  const { setting, writeId, chunks } = await stored()
  chunks.delete(15)
  assert.is(await codeOfFetch(fetchBytes(setting, writeId)), 'chunk-missing')
})

get('never holds more than its permits, and gives all of them back when it is left early', async () => {
  const { store, extent } = await stored()
  const limiter = fixedLimiter({ count: 3, maxBytes: 10_000 * KIB })
  let seen = 0
  for await (const _ of download(store.blobs, extent, { limiter, priority: 'open', readAhead: 100 })) {
    assert.ok(limiter.state.inFlight <= 3)
    if (++seen === 5) break
  }
  assert.is(limiter.state.inFlight, 0)
  assert.is(limiter.state.waiting, 0)
})

get('two that share one permit both arrive', async () => {
  const { store, extent, bytes } = await stored()
  const limiter = fixedLimiter({ count: 1, maxBytes: 64 * KIB })
  const fetchAll = async (): Promise<number> => {
    let length = 0
    for await (const piece of download(store.blobs, extent, { limiter, priority: 'open' }))
      length += piece.length
    return length
  }
  assert.equal(await Promise.all([fetchAll(), fetchAll(), fetchAll()]), [
    bytes.length,
    bytes.length,
    bytes.length,
  ])
  assert.is(limiter.state.inFlight, 0)
})

get('an abort ends it with its reason', async () => {
  const { store, extent } = await stored()
  const limiter = fixedLimiter({ count: 3, maxBytes: 10_000 * KIB })
  const stop = new AbortController()
  try {
    for await (const _ of download(store.blobs, extent, { limiter, priority: 'open', signal: stop.signal }))
      stop.abort(new Error('enough'))
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'enough')
  }
  assert.is(limiter.state.inFlight, 0)
})

get.run()
