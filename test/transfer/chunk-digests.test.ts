import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MIB } from '../../pipeline/base/units.ts'
import { ChunkDigests } from '../../pipeline/transfer/chunk-digests.ts'
import { digestOf } from '../../pipeline/transfer/digest.ts'
import { DigestThread } from '../../pipeline/transfer/digest-thread.ts'

function shared(bytes: number, fill: number): Buffer {
  const data = Buffer.from(new SharedArrayBuffer(bytes + 3)).subarray(3)
  return data.fill(fill)
}

/** Once it really is the thread that answers: only then is an answer not there in the same turn. */
async function started(thread: DigestThread): Promise<void> {
  const deadlineMs = performance.now() + 30_000
  while (performance.now() < deadlineMs) {
    let answered = false
    const digested = thread.digest(shared(1, 1)).then(() => {
      answered = true
    })
    await Promise.resolve()
    await Promise.resolve()
    const atOnce = answered
    await digested
    if (!atOnce) return
    await sleep(5)
  }
  throw new Error('the thread has not started')
}

test('the digests of a long transfer are those of its chunks, whichever thread computes them', async () => {
  const digests = new ChunkDigests()
  try {
    for (let count = 0; count < 80; count++) {
      const data = shared(MIB - (count % 5), count)
      assert.ok((await digests.of(data)).equals(digestOf(data)), `chunk ${count}`)
    }
  } finally {
    await digests.end()
  }
})

test('the thread answers many at once, each with its own', async () => {
  const thread = DigestThread.take()
  try {
    await started(thread)
    const chunks = Array.from({ length: 40 }, (_, at) => shared(1000 * at, at))
    const all = await Promise.all(chunks.map((data) => thread.digest(data)))
    for (const [at, data] of chunks.entries()) assert.ok(all[at]?.equals(digestOf(data)))
    const plain = Buffer.alloc(100, 7)
    assert.ok((await thread.digest(plain)).equals(digestOf(plain)), 'what it cannot see is digested here')
  } finally {
    await thread.leave()
  }
})

test('what the thread had not answered when it ended is digested all the same', async () => {
  const thread = DigestThread.take()
  await started(thread)
  const chunks = Array.from({ length: 20 }, (_, at) => shared(MIB, at))
  const asked = chunks.map((data) => thread.digest(data))
  await thread.leave()
  for (const [at, digest] of (await Promise.all(asked)).entries())
    assert.ok(digest.equals(digestOf(chunks[at] as Buffer)))
  const late = shared(10, 1)
  assert.ok((await thread.digest(late)).equals(digestOf(late)), 'and what is asked after its end')
})

test('two transfers share one thread, which stays until the last has left it', async () => {
  const [first, second] = [DigestThread.take(), DigestThread.take()]
  assert.is(first, second)
  await first.leave()
  const third = DigestThread.take()
  assert.is(third, second)
  await second.leave()
  await third.leave()
  const fourth = DigestThread.take()
  assert.is.not(fourth, third)
  await fourth.leave()
})

test.run()
