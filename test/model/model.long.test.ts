/**
 * The whole model test: each scenario walked to its end with every rule on, and each rule missed. TIDEPOOL_LONG is
 * the share of the states that the largest scenario has; with all of them it takes about a minute.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RuleName } from '../../pipeline/graph/rules.ts'
import { CATCHES, type Catch } from './catches.ts'
import { assertCaught, assertHolds, walk } from './judgement.ts'
import { SCENARIOS, type ScenarioName } from './scenarios.ts'

const test = suite('model, to the end')

const SHARE = Number(process.env.TIDEPOOL_LONG ?? '0.1')
/** A little more than the largest has: one that has grown past it should be made smaller, or this larger. */
const MOST_STATES = 250_000

for (const name of Object.keys(SCENARIOS) as ScenarioName[])
  test(`${name}: with every rule there is no way to a violation`, async () => {
    const found = await walk(name, [], { states: Math.ceil(MOST_STATES * SHARE) })
    assertHolds(found)
    if (SHARE >= 1) assert.not(found.cut, `${name} has more than ${MOST_STATES} states`)
  })

for (const [rule, caught] of Object.entries(CATCHES) as [RuleName, Catch][])
  test(`without ${[rule, ...(caught.with ? [caught.with.rule] : [])].join(' and ')}, ${caught.scenario} goes wrong`, () =>
    assertCaught(rule, caught))

test.run()
