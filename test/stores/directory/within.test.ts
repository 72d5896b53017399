import { getEventListeners } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../../../pipeline/stores/directory/within.ts'

const test = suite('within')
const late = (): Error => new Error('late')
const never = new Promise<never>(() => {})

test('gives what the work gives, and leaves no listener', async () => {
  const control = new AbortController()
  assert.is(await within(Promise.resolve(7), 1000, control.signal, late), 7)
  const failed = new Error('failed')
  const rejected = within(Promise.reject(failed), 1000, control.signal, late)
  assert.is(await rejected.catch((error: unknown) => error), failed)
  assert.is(getEventListeners(control.signal, 'abort').length, 0)
})

test('ends for the signal, also one that has fired already', async () => {
  const control = new AbortController()
  const reason = new Error('left')
  const waiting = within(never, 60_000, control.signal, late)
  control.abort(reason)
  assert.is(await waiting.catch((error: unknown) => error), reason)
  assert.is(await within(never, 60_000, control.signal, late).catch((error: unknown) => error), reason)
  assert.is(getEventListeners(control.signal, 'abort').length, 0)
})

test('ends when its time is over', async () => {
  const ended = await within(never, 1, undefined, late).catch((error: Error) => error.message)
  assert.is(ended, 'late')
})

test.run()
