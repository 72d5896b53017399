/** A thousand transfers that succeed, fail and are aborted, over real files: afterwards nothing is open that was not before. */
import { readdirSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { download } from '../../pipeline/transfer/download.ts'
import { putStream } from '../../pipeline/transfer/put.ts'
import { extentOf } from '../../pipeline/transfer/restore.ts'
import { withDirectoryStore } from '../support/directory-store.ts'
import { faultyStore } from '../support/faulty-store.ts'
import { int, type Random, runSeed, seeded } from '../support/random.ts'
import { streamBytes } from '../support/stream-generator.ts'
import { inPieces, KIB, putSetting, type Setting } from '../support/transfer.ts'

const leaks = suite('leaks')

const TRANSFERS = Math.ceil(1000 * Number(process.env.TIDEPOOL_LONG ?? 0.1))

const openFiles = (): number => readdirSync('/proc/self/fd').length
const threads = (): number => readdirSync('/proc/self/task').length

leaks(`${TRANSFERS} transfers leave open files, threads and permits as they were`, async () => {
  const random = seeded(runSeed('leaks'))
  await withDirectoryStore(async (store) => {
    const setting = await putSetting(store)
    const first = await streamBytes({ seed: 0, bytes: 200 * KIB, toGuid: 1n })
    const { writeId } = await putStream(() => inPieces(first), setting)
    // The pool of threads grows with the first transfers; what is counted is what comes after.
    for (let warm = 0; warm < 10; warm++) await oneTransfer(random, store, setting, writeId, BigInt(warm + 2))
    const before = { files: openFiles(), threads: threads() }
    const outcomes = { good: 0, failed: 0 }
    for (let transfer = 0; transfer < TRANSFERS; transfer++)
      outcomes[await oneTransfer(random, store, setting, writeId, BigInt(transfer + 100))]++
    assert.equal({ files: openFiles(), threads: threads() }, before)
    assert.equal(setting.limiter.state, {
      ...setting.limiter.state,
      inFlight: 0,
      inFlightBytes: 0,
      waiting: 0,
    })
    assert.ok(outcomes.good > TRANSFERS / 10 && outcomes.failed > TRANSFERS / 10, JSON.stringify(outcomes))
  })
})

/** A put or a get, in which something goes wrong or nothing does. */
async function oneTransfer(
  random: Random,
  store: Store,
  setting: Setting,
  writeId: string,
  toGuid: bigint,
): Promise<'good' | 'failed'> {
  const stop = new AbortController()
  const failAt = int(random, 0, 40)
  const failing = faultyStore(store, (_call, count) => {
    if (count !== failAt) return undefined
    if (random() < 0.5) return 'refused'
    stop.abort(new TidepoolError('enough', 'stopped by the test'))
    return undefined
  })
  const used = { ...setting, store: failing, signal: stop.signal }
  try {
    if (random() < 0.5) {
      const bytes = await streamBytes({ seed: Number(toGuid), bytes: 150 * KIB, fromGuid: 1n, toGuid })
      const cut = random() < 0.2 ? bytes.subarray(0, int(random, 0, bytes.length)) : bytes
      await putStream(() => inPieces(cut), used)
    } else {
      const row = (await store.catalogue.read(setting.project))?.rows.get(writeId as never)
      if (!row) throw new Error('the first write is gone')
      const leaveAt = int(random, 0, 6)
      let seen = 0
      for await (const _ of download(failing.blobs, extentOf(setting.project, row), {
        limiter: setting.limiter,
        priority: 'open',
        signal: stop.signal,
      }))
        if (++seen === leaveAt) break
    }
    return 'good'
  } catch (error) {
    if (error instanceof TidepoolError) return 'failed'
    throw error
  }
}

leaks.run()
