/** A dataset is destroyed with every proof, and each one that is missing is named. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type EvictFacts, mayEvict } from '../../daemon/projects/may-evict.ts'
import type { Guid } from '../../pipeline/base/ids.ts'
import { rulesWithout } from '../../pipeline/graph/rules.ts'
import { firstWorld } from '../model/scenarios.ts'

const test = suite('may evict')

/** Points `1` and `12`. */
const { project } = firstWorld({})
const point = '12' as Guid
const proven: EvictFacts = { mounted: false, written: false, newest: point, proven: point }

test('with every proof it may', () => assert.is(mayEvict(project, proven), 'yes'))

test('what may still be written, or was, stays', () => {
  assert.is(mayEvict(project, { ...proven, mounted: true }), 'mounted')
  assert.is(mayEvict(project, { ...proven, written: true }), 'written')
})

test('what the store may lack stays', () => {
  const unknown = '12a' as Guid
  assert.is(mayEvict(project, { ...proven, newest: null, proven: null }), 'unproven')
  assert.is(mayEvict(project, { ...proven, proven: null }), 'unproven')
  assert.is(mayEvict(project, { ...proven, newest: unknown }), 'unproven', 'another one was proven')
  assert.is(mayEvict(project, { ...proven, newest: unknown, proven: unknown }), 'unproven', 'it is no point')
})

test('what is destroyed may still be had back, what is being purged never', () => {
  const inLife = (life: 'destroyed' | 'purging' | 'purged') => ({
    ...project,
    statics: { ...project.statics, life },
  })
  assert.is(mayEvict(inLife('destroyed'), proven), 'yes')
  assert.is(mayEvict(inLife('purging'), proven), 'unproven')
  assert.is(mayEvict(inLife('purged'), proven), 'unproven')
})

test('each rule asks for its own proof', () => {
  assert.is(mayEvict(project, { ...proven, mounted: true }, rulesWithout('umountFirst')), 'yes')
  assert.is(mayEvict(project, { ...proven, written: true }, rulesWithout('proveClean')), 'yes')
  assert.is(mayEvict(project, { ...proven, proven: null }, rulesWithout('proveStore')), 'yes')
})

test.run()
