import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Circuit } from '../../pipeline/limit/circuit.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'

const test = suite('circuit')

const LATER = 1_000_000

/** Several who want to pass, and when each did. */
function crowd(clock: ManualClock, circuit: Circuit, count: number): number[] {
  const passedMs: number[] = []
  for (let i = 0; i < count; i++) void circuit.pass(LATER).then(() => passedMs.push(clock.monotonicMs()))
  return passedMs
}

test('holds nobody back in the first thirty seconds of failures', async () => {
  const clock = new ManualClock()
  const circuit = new Circuit(clock)
  circuit.failed(new Error('no answer'))
  await clock.advance(29_999)
  const passed = crowd(clock, circuit, 20)
  await settle()
  assert.is(passed.length, 20)
})

test('after thirty seconds without a success lets one probe a second through', async () => {
  const clock = new ManualClock()
  const circuit = new Circuit(clock)
  circuit.failed(new Error('no answer'))
  await clock.advance(15_000)
  circuit.failed(new Error('still none'))
  await clock.advance(15_000)
  const passed = crowd(clock, circuit, 20)
  await clock.advance(3500)
  assert.equal(passed, [30_000, 31_000, 32_000, 33_000])
  assert.is(circuit.waiting, 16)
  assert.is(circuit.silence?.ms, 33_500)
})

test('the first success lets all of them go on', async () => {
  const clock = new ManualClock()
  const circuit = new Circuit(clock)
  circuit.failed(new Error('no answer'))
  await clock.advance(40_000)
  const passed = crowd(clock, circuit, 20)
  await settle()
  assert.is(passed.length, 1)
  circuit.succeeded()
  await settle()
  assert.is(passed.length, 20)
  assert.equal([circuit.silence, clock.pendingSleeps], [undefined, 0])
})

test('an hour in which nobody asked is no silence', async () => {
  const clock = new ManualClock()
  const circuit = new Circuit(clock)
  circuit.succeeded()
  await clock.advance(3_600_000)
  circuit.failed(new Error('one'))
  const passed = crowd(clock, circuit, 5)
  await settle()
  assert.is(passed.length, 5)
})

test.run()
