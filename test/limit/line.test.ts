import { getEventListeners } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Line } from '../../pipeline/limit/line.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'

const test = suite('line')

/** A gate with so many passes, and one more at a fixed time. */
function gateOf(passes: number, alsoAtMs = 1_000_000) {
  let given = 0
  let timed = false
  return {
    add: (count: number) => {
      passes += count
    },
    get given() {
      return given
    },
    tryPass(nowMs: number) {
      if (passes > 0) passes--
      else if (!timed && nowMs >= alsoAtMs) timed = true
      else return false
      given++
      return true
    },
    opensMs: () => (timed ? 1_000_000 : alsoAtMs),
    giveBack() {
      given--
      passes++
    },
  }
}

test('lets through in order of coming, as the gate opens', async () => {
  const clock = new ManualClock()
  const gate = gateOf(1, 500)
  const line = new Line(clock, gate)
  const passed: string[] = []
  for (const name of ['a', 'b', 'c', 'd']) void line.pass(10_000).then((ok) => passed.push(`${name} ${ok}`))
  await settle()
  assert.equal(passed, ['a true'])
  gate.add(1)
  line.letThrough()
  await settle()
  assert.equal(passed, ['a true', 'b true'])
  await clock.advance(500)
  assert.equal(passed, ['a true', 'b true', 'c true'])
  assert.is(line.waiting, 1)
  await clock.advance(9500)
  assert.equal(passed.at(-1), 'd false')
  assert.is(line.waiting, 0)
  assert.is(clock.pendingSleeps, 0)
})

test('who comes when the gate opens does not overtake those who wait', async () => {
  const clock = new ManualClock()
  const gate = gateOf(0, 500)
  const line = new Line(clock, gate)
  const passed: string[] = []
  void line.pass(10_000).then((ok) => passed.push(`waited ${ok}`))
  await settle()
  gate.add(1)
  void line.pass(10_000).then((ok) => passed.push(`came ${ok}`))
  await settle()
  assert.equal(passed, [])
  line.letThrough()
  await clock.advance(500)
  assert.equal(passed, ['waited true', 'came true'])
})

test('who passes after a wait leaves no listener on a signal that goes on', async () => {
  const clock = new ManualClock()
  const line = new Line(clock, gateOf(0, 500))
  const { signal } = new AbortController()
  const passed = line.pass(10_000, signal)
  assert.is(getEventListeners(signal, 'abort').length, 1)
  await clock.advance(500)
  assert.is(await passed, true)
  const late = line.pass(600, signal)
  await clock.advance(100)
  assert.is(await late, false)
  assert.equal([getEventListeners(signal, 'abort').length, clock.pendingSleeps], [0, 0])
})

test('who leaves rejects with the reason, and leaves no timer, listener or place behind', async () => {
  const clock = new ManualClock()
  const gate = gateOf(0)
  const line = new Line(clock, gate)
  const leaving = new AbortController()
  const reason = new Error('left')
  const left = line.pass(10_000, leaving.signal).catch((error: unknown) => error)
  const stays = line.pass(10_000)
  await settle()
  leaving.abort(reason)
  assert.is(await left, reason)
  assert.is(clock.pendingSleeps, 1)
  assert.is(getEventListeners(leaving.signal, 'abort').length, 0)
  gate.add(1)
  line.letThrough()
  assert.is(await stays, true)
  assert.is(clock.pendingSleeps, 0)
  assert.is(await line.pass(10_000, leaving.signal).catch((error: unknown) => error), reason)
})

test('who is let through and leaves in the same moment gives the pass back', async () => {
  const clock = new ManualClock()
  const gate = gateOf(0)
  const line = new Line(clock, gate)
  const leaving = new AbortController()
  const left = line.pass(10_000, leaving.signal).catch((error: unknown) => error)
  await settle()
  gate.add(1)
  line.letThrough()
  leaving.abort(new Error('left'))
  assert.instance(await left, Error)
  assert.is(gate.given, 0)
  assert.is(await line.pass(10_000), true)
})

test.run()
