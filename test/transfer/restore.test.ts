import { setImmediate } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { type Guid, guid } from '../../pipeline/base/ids.ts'
import { rollback } from '../../pipeline/graph/transitions/points.ts'
import { markDeleting, supersedeWrites } from '../../pipeline/graph/transitions/removal.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { restore } from '../../pipeline/transfer/restore.ts'
import { streamBytes } from '../support/stream-generator.ts'
import { KIB, putBytes, putSetting } from '../support/transfer.ts'

const restoring = suite('restore')

/** 1 → 2 → 3, and a full stream to 3 beside them that costs more. */
async function history() {
  const store = memoryStore()
  const setting = await putSetting(store)
  const stream = (fromGuid: bigint | null, toGuid: bigint, bytes: number) =>
    streamBytes({ seed: Number(toGuid), bytes, toGuid, ...(fromGuid !== null && { fromGuid }) })
  await putBytes(setting, await stream(null, 1n, 200 * KIB))
  await putBytes(setting, await stream(1n, 2n, 70 * KIB))
  const last = await putBytes(setting, await stream(2n, 3n, 70 * KIB))
  return { store, setting, stream, last }
}

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0
  for await (const piece of bytes) length += piece.length
  return length
}

restoring('hands over the streams of the cheapest path, from what is there', async () => {
  const { setting } = await history()
  const paths: Record<string, string[]> = {}
  for (const have of [[], [guid('1')], [guid('3')]]) {
    const path: string[] = []
    const receive = async (row: { from: Guid | null; to: Guid }, bytes: AsyncIterable<Uint8Array>) => {
      path.push(`${row.from}-${row.to}`)
      await readAll(bytes)
    }
    assert.is(await restore({ ...setting, have, receive }), '3')
    paths[have.join()] = path
  }
  assert.equal(paths, { '': ['null-1', '1-2', '2-3'], '1': ['1-2', '2-3'], '3': [] })
})

restoring('plans again when its write was compacted away under it, keeping what it has', async () => {
  const { store, setting, stream, last } = await history()
  const received: string[] = []
  const receive = async (row: { from: Guid | null; to: Guid }, bytes: AsyncIterable<Uint8Array>) => {
    received.push(`${row.from}-${row.to}`)
    if (row.to === '2') {
      // While it receives the second stream, a parallel edge 1 → 3 takes over and the last step is removed.
      await putBytes(setting, await stream(1n, 3n, 90 * KIB))
      const now = store.state.projects.get(setting.project)
      const step = now?.rows.get(last.writeId)
      if (!now || !step) throw new Error('the project is gone')
      // The commit may have found it superfluous itself.
      if (step.state === 'committed') await store.catalogue.apply(supersedeWrites(now, [step], 0))
      const superseded = store.state.projects.get(setting.project)
      if (superseded)
        await store.catalogue.apply(markDeleting(superseded, [{ ...step, state: 'superseded' }], 0))
      store.state.blobs.delete(last.writeId)
    }
    await readAll(bytes)
  }
  assert.is(await restore({ ...setting, receive }), '3')
  // From 2 nothing leads on any more, so the new edge starts at 1, which it has as well.
  assert.equal(received, ['null-1', '1-2', '2-3', '1-3'])
})

restoring(
  'a chunk that is missing although its write is committed is damage, not a reason to plan again',
  async () => {
    const { store, setting, last } = await history()
    store.state.blobs.get(last.writeId)?.chunks.delete(1)
    let tries = 0
    try {
      await restore({
        ...setting,
        receive: async (_row, bytes) => {
          tries++
          await readAll(bytes)
        },
      })
      assert.unreachable()
    } catch (error) {
      assert.is(codeOf(error), 'chunk-missing')
    }
    assert.is(tries, 3)
  },
)

restoring("a receiver's own failure is thrown on as it is", async () => {
  const { setting } = await history()
  const broken = new Error('receive failed')
  try {
    await restore({ ...setting, receive: () => Promise.reject(broken) })
    assert.unreachable()
  } catch (error) {
    assert.is(error, broken)
  }
  assert.is(setting.limiter.state.inFlight, 0)
})

restoring('fetches the next stream while the receiver is still busy with the one before', async () => {
  const { setting, store } = await history()
  const opened: string[] = []
  const blobs = {
    ...store.blobs,
    open: (...args: Parameters<typeof store.blobs.open>) => {
      opened.push(args[0].writeId)
      return store.blobs.open(...args)
    },
  }
  const ahead: number[] = []
  const receive = async (_row: unknown, bytes: AsyncIterable<Uint8Array>) => {
    await readAll(bytes)
    await setImmediate()
    ahead.push(opened.length)
  }
  await restore({ ...setting, store: { ...store, blobs }, receive })
  assert.equal(ahead, [2, 3, 3])
  assert.is(setting.limiter.state.inFlight, 0)
})

restoring('what was fetched ahead is let go when the receiver fails at its end', async () => {
  const { setting } = await history()
  const broken = new Error('the checksum differs')
  const receive = async (_row: unknown, bytes: AsyncIterable<Uint8Array>) => {
    await readAll(bytes)
    throw broken
  }
  try {
    await restore({ ...setting, receive })
    assert.unreachable()
  } catch (error) {
    assert.is(error, broken)
  }
  assert.is(setting.limiter.state.inFlight, 0)
})

restoring('a point that nothing leads to is said so; an older point can be asked for', async () => {
  const { setting, store } = await history()
  const receive = async (_row: unknown, bytes: AsyncIterable<Uint8Array>) => void (await readAll(bytes))
  assert.is(await restore({ ...setting, to: guid('2'), receive }), '2')
  try {
    await restore({ ...setting, to: guid('99'), receive })
    assert.unreachable()
  } catch (error) {
    assert.is(codeOf(error), 'point-unknown')
  }
  const project = store.state.projects.get(setting.project)
  if (project) await store.catalogue.apply(rollback(project, guid('1')))
  assert.is(await restore({ ...setting, receive }), '1')
})

restoring.run()
