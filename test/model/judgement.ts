/** What the quick and the long model test have in common. */
import * as assert from 'uvu/assert'
import { type RuleName, rulesWithout } from '../../pipeline/graph/rules.ts'
import type { Catch } from './catches.ts'
import { explore, type Found, type Limits } from './explore.ts'
import { firstWorld, playOf, SCENARIOS, type ScenarioName } from './scenarios.ts'

export function walk(name: ScenarioName, off: readonly RuleName[] = [], limits: Limits = {}): Promise<Found> {
  return explore(firstWorld(SCENARIOS[name]), playOf(SCENARIOS[name], rulesWithout(...off)), limits)
}

export function assertHolds({ violation, trace = [] }: Found): void {
  assert.is(violation, undefined, [violation, ...trace].join('\n  '))
}

/** Without the rule (and the one that covers for it) the violation is found; with either of two on it is not. */
export async function assertCaught(rule: RuleName, { scenario, finds, with: other }: Catch): Promise<void> {
  const found = await walk(scenario, other ? [rule, other.rule] : [rule])
  assert.match(found.violation ?? 'no violation', finds)
  assert.is(found.trace?.length, found.depth + 1, 'the trace is a shortest one')
  if (!other) return
  assertHolds(await walk(scenario, [rule]))
  assertHolds(await walk(scenario, [other.rule]))
}
