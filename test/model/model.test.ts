/**
 * The small end of the model test: the scenarios that are over at once, walked to their end with every rule, and
 * the rules whose absence shows early. `model.long.test.ts` walks the rest.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RULE_NAMES } from '../../pipeline/graph/rules.ts'
import { CATCHES } from './catches.ts'
import { assertHolds, walk } from './judgement.ts'

const test = suite('model, at once')

for (const name of ['pool', 'move', 'hand', 'recreate', 'evict', 'forth', 'reopenHand'] as const)
  test(`${name}: with every rule there is no way to a violation`, async () => {
    const found = await walk(name)
    assertHolds(found)
    assert.not(found.cut)
  })

test('every rule has its place in the table', () => {
  assert.equal(Object.keys(CATCHES).sort(), [...RULE_NAMES].sort())
})

for (const [rule, { scenario, finds, with: other, early }] of Object.entries(CATCHES)) {
  if (!early) continue
  const off = [rule, ...(other ? [other.rule] : [])] as (typeof RULE_NAMES)[number][]
  test(`without ${off.join(' and ')}, ${scenario} goes wrong`, async () => {
    const found = await walk(scenario, off)
    assert.match(found.violation ?? 'no violation', finds)
    assert.is(found.trace?.length, found.depth + 1, 'the trace is a shortest one')
  })
}

test('the same walk finds the same each time, state for state', async () => {
  const [one, two] = [await walk('rollback', ['epochBound']), await walk('rollback', ['epochBound'])]
  assert.equal(one, two)
})

test.run()
