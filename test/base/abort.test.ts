import { getEventListeners } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LinkedAbort } from '../../pipeline/base/abort.ts'

const abort = suite('linked abort')

abort('follows the outer signal with its reason, until it is left', () => {
  const outer = new AbortController()
  const [linked, left] = [new LinkedAbort(outer.signal), new LinkedAbort(outer.signal)]
  left.leave()
  outer.abort('why')
  assert.is(linked.signal.reason, 'why')
  assert.not.ok(left.signal.aborted)
})

abort('leaves the outer signal alone and no listener on it', () => {
  const outer = new AbortController()
  const linked = new LinkedAbort(outer.signal)
  linked.abort('own')
  assert.is(linked.signal.reason, 'own')
  assert.not.ok(outer.signal.aborted)
  linked.leave()
  assert.is(getEventListeners(outer.signal, 'abort').length, 0)
})

abort('an outer signal that has fired already is followed at once', () => {
  assert.is(new LinkedAbort(AbortSignal.abort('before')).signal.reason, 'before')
  assert.not.ok(new LinkedAbort().signal.aborted)
})

abort.run()
