/** `npx tsx test/model/walk.ts [scenario …] [-rule …]`: walks by hand and prints what it finds. */
import { type RuleName, rulesWithout } from '../../pipeline/graph/rules.ts'
import { explore } from './explore.ts'
import { firstWorld, playOf, SCENARIOS, type ScenarioName } from './scenarios.ts'

const words = process.argv.slice(2)
const off = words.filter((word) => word.startsWith('-')).map((word) => word.slice(1) as RuleName)
const named = words.filter((word) => !word.startsWith('-')) as ScenarioName[]
for (const name of named.length > 0 ? named : (Object.keys(SCENARIOS) as ScenarioName[])) {
  const beganAtMs = performance.now()
  const rules = rulesWithout(...off)
  const limits = { ms: Number(process.env.SECONDS ?? 20) * 1000 }
  const found = await explore(firstWorld(SCENARIOS[name]), playOf(SCENARIOS[name], rules), limits)
  const seconds = ((performance.now() - beganAtMs) / 1000).toFixed(1)
  const { states, steps, depth, cut, violation, trace = [] } = found
  console.log(
    `${name.padEnd(10)} ${violation ?? (cut ? 'no violation, cut' : 'holds')} [${states} states, ${steps} steps, depth ${depth}, ${seconds} s]`,
  )
  for (const line of trace) console.log(`    ${line}`)
}
