import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EarlyFlush } from '../../pipeline/base/early-flush.ts'
import { MIB } from '../../pipeline/base/units.ts'

const test = suite('early flush')

/** A file whose flushes end when the test says so. */
function flushed() {
  const ends: { done: () => void; fail: (error: unknown) => void }[] = []
  const datasync = (): Promise<void> =>
    new Promise((resolve, reject) => ends.push({ done: resolve, fail: reject }))
  return { ends, flush: new EarlyFlush({ datasync }) }
}

test('flushes now and then, one at a time', async () => {
  const { ends, flush } = flushed()
  for (let written = 0; written < 63; written++) flush.wrote(MIB)
  assert.is(ends.length, 0)
  flush.wrote(MIB)
  assert.is(ends.length, 1)
  flush.wrote(200 * MIB)
  assert.is(ends.length, 1, 'one is under way')
  ends[0]?.done()
  await flush.settled()
  flush.wrote(1)
  assert.is(ends.length, 2)
  ends[1]?.done()
  await flush.check()
})

test('a failure is told by every check after it, and by nothing else', async () => {
  const { ends, flush } = flushed()
  const failure = new Error('the disk is gone')
  flush.wrote(64 * MIB)
  ends[0]?.fail(failure)
  await flush.settled()
  flush.wrote(64 * MIB)
  ends[1]?.done()
  for (let again = 0; again < 2; again++)
    assert.is(await flush.check().catch((error: unknown) => error), failure)
})

test('check and settled wait for what is under way', async () => {
  const { ends, flush } = flushed()
  flush.wrote(64 * MIB)
  let checked = false
  const checking = flush.check().then(() => {
    checked = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.is(checked, false)
  ends[0]?.done()
  await checking
})

test.run()
