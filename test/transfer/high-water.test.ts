import { setImmediate as turn } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { HighWaterMark } from '../../pipeline/transfer/high-water.ts'

const mark = suite('high-water mark')

mark('asks half-way and lets nobody wait before the mark', async () => {
  const asked: number[] = []
  let answer: () => void = () => {}
  const water = new HighWaterMark(64, (seqHigh) => {
    asked.push(seqHigh)
    return new Promise((resolve) => {
      answer = resolve
    })
  })
  for (let seq = 0; seq < 32; seq++) await water.reach(seq)
  assert.equal(asked, [])
  for (let seq = 32; seq < 64; seq++) await water.reach(seq)
  assert.equal(asked, [128])
  let reached = false
  const waiting = water.reach(64).then(() => {
    reached = true
  })
  await turn()
  assert.not.ok(reached)
  answer()
  await waiting
  assert.ok(reached)
})

mark('one that could not be raised stops whoever needs it, and nobody else', async () => {
  const water = new HighWaterMark(10, () => Promise.reject(new Error('fenced')))
  await water.reach(5)
  await water.reach(9)
  try {
    await water.reach(10)
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'fenced')
  }
  await water.settled()
})

mark('ends where a store can number no more chunks', async () => {
  const asked: number[] = []
  const water = new HighWaterMark(2 ** 31 - 10, async (seqHigh) => void asked.push(seqHigh))
  await water.reach(2 ** 31 - 2)
  assert.equal(asked, [2 ** 31 - 1])
  try {
    await water.reach(2 ** 31 - 1)
    assert.unreachable()
  } catch (error) {
    assert.is(codeOf(error), 'stream-too-long')
  }
})

mark.run()
