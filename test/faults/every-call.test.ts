/** One put in which the store fails, loses an answer, or the caller gives up, at each call in turn. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { type Decide, type Fault, faultyStore } from '../support/faulty-store.ts'
import { seeded } from '../support/random.ts'
import { auditScrubbed } from './audit.ts'
import { PROJECT, Process, stream } from './history.ts'

const everyCall = suite('every call')

/** Puts a full stream and a step; the store is struck at call `at` of the step. The number of calls that the step made. */
async function strike(at: number, how: Fault | 'abort'): Promise<number> {
  const random = seeded(at)
  const store = memoryStore()
  const sent = new Map<string, Buffer>()
  const first = await stream(random, null)
  let armed = false
  let calls = 0
  const stop = new AbortController()
  const decide: Decide = () => {
    if (!armed || calls++ !== at) return undefined
    if (how !== 'abort') return how
    stop.abort(new TidepoolError('enough', 'stopped by the test'))
    return undefined
  }
  const process = new Process(faultyStore(store, decide))
  assert.ok(await process.begin())
  assert.ok(await process.put(first, sent))
  armed = true
  const stored = await process.put(await stream(random, first.to), sent, stop.signal)
  armed = false
  const head = store.state.projects.get(PROJECT)?.statics.head
  assert.is(head !== first.to, stored, `call ${at}, ${how}: told ${stored}, the head is ${head}`)
  await auditScrubbed(store, sent)
  return calls
}

for (const how of ['refused', 'answer-lost', 'lost', 'abort'] as const)
  everyCall(`${how} at each call of a put: told as it is, and nothing is left over`, async () => {
    const calls = await strike(Number.POSITIVE_INFINITY, how)
    assert.ok(calls > 8, `${calls} calls`)
    for (let at = 0; at < calls; at++) await strike(at, how)
  })

everyCall.run()
