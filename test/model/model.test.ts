/**
 * The small end of the model test: the scenarios that are over at once, walked to their end with every rule, and
 * the rules whose absence shows early. `model.long.test.ts` walks the rest.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RuleName, rulesWithout } from '../../pipeline/graph/rules.ts'
import { explore } from './explore.ts'
import { firstWorld, playOf, SCENARIOS, type ScenarioName } from './scenarios.ts'

const test = suite('model, at once')

const walk = (name: ScenarioName, ...off: RuleName[]) =>
  explore(firstWorld(SCENARIOS[name]), playOf(SCENARIOS[name], rulesWithout(...off)))

for (const name of ['pool', 'move', 'hand'] as const)
  test(`${name}: with every rule there is no way to a violation`, async () => {
    const { violation, trace = [], cut } = await walk(name)
    assert.is(violation, undefined, [violation, ...trace].join('\n  '))
    assert.not(cut)
  })

const EARLY: readonly [RuleName, ScenarioName, RegExp][] = [
  ['baseReachable', 'save', /^the head 12a can't be reached/],
  ['descends', 'hand', /^what was written \(2\) is in no reachable point/],
  ['epochBound', 'rollback', /^the operator's rollback was undone by write A1/],
  ['fence', 'move', /^release of p was held to be over, and happened afterwards/],
  ['needed', 'save', /^the head 12 can't be reached/],
  ['readOutcome', 'save', /^write A1 happened, and was reported as failed|held to be over, and happened/],
  ['resolveFirst', 'pool', /^machine A, which never lost the project, was treated as if it had/],
]

for (const [rule, scenario, violation] of EARLY)
  test(`without ${rule}, ${scenario} goes wrong`, async () => {
    const found = await walk(scenario, rule)
    assert.match(found.violation ?? 'no violation', violation)
    assert.is(found.trace?.length, found.depth + 1)
  })

test.run()
