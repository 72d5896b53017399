/**
 * Runs the tests: `tsx test/run.ts [SELECTION | RING | FILE | FOLDER]...`, by default the selection `default`.
 *
 * The last line is `N passed, N failed`, with `, N skipped` where some were; the exit code says the same. Where
 * TIDEPOOL_TOTALS names a file, the three numbers are appended to it instead of being printed. TIDEPOOL_REQUIRE=all
 * makes a ring that cannot run here a failure. TIDEPOOL_SEED and TIDEPOOL_LONG are passed on where set.
 */
import { appendFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Ring, ringOf, rings, selections } from './rings.ts'
import { testFiles } from './support/runner/files.ts'
import { type NeedName, needs, type Provided } from './support/runner/needs.ts'
import { runFiles } from './support/runner/pool.ts'

const top = fileURLToPath(new URL('..', import.meta.url))
const total = { passed: 0, failed: 0, skipped: 0 }
const say = (line: string) => void process.stdout.write(`${line}\n`)

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    say('interrupted: ending what was started')
    interrupted.abort()
  })
}

const plan = choose(process.argv.slice(2))
const seed = process.env.TIDEPOOL_SEED ?? String(Math.floor(Math.random() * 2 ** 31))
const env = { TIDEPOOL_SEED: seed, TIDEPOOL_LONG: process.env.TIDEPOOL_LONG ?? String(plan.long) }
const provided = new Map<NeedName, Provided>()
try {
  for (const { ring, files } of plan.rings) await runRing(ring, files)
} catch (error) {
  if (!interrupted.signal.aborted) throw error
} finally {
  for (const need of provided.values()) await need.end()
}
if (interrupted.signal.aborted) process.exit(130)

if (total.failed > 0) say(`\nthe random tests are repeated by TIDEPOOL_SEED=${seed}`)
const { TIDEPOOL_TOTALS: totals } = process.env
if (totals) appendFileSync(totals, `${total.passed} ${total.failed} ${total.skipped}\n`)
else
  say(
    `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`,
  )
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0

async function runRing(ring: Ring, files: readonly string[]): Promise<void> {
  const began = performance.now()
  const label = `${ring.name}:`.padEnd(16)
  const lacks = await provide(ring)
  if (lacks !== undefined) {
    const required = process.env.TIDEPOOL_REQUIRE === 'all'
    total[required ? 'failed' : 'skipped'] += files.length
    say(`${label}${required ? 'failed' : 'skipped'}, ${lacks}`)
    return
  }
  const env = Object.assign({}, ...ring.needs.map((need) => provided.get(need)?.env))
  const sum = { passed: 0, failed: 0, skipped: 0 }
  let longest = { file: '', durationMs: 0 }
  const options = {
    jobs: ring.jobs,
    limitMs: ring.limitMs,
    env: { ...commonEnv(), ...env },
    signal: interrupted.signal,
  }
  for await (const result of runFiles(files, options)) {
    for (const key of ['passed', 'failed', 'skipped'] as const) {
      sum[key] += result[key]
      total[key] += result[key]
    }
    if (result.durationMs > longest.durationMs) longest = result
    if (result.failed > 0) {
      say(`\n--- ${relative(top, result.file)}: ${result.passed} passed, ${result.failed} failed`)
      if (result.log.trim() !== '') say(result.log.trim())
      for (const problem of result.problems) say(`  FAIL  ${problem}`)
      say('')
    }
  }
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  say(
    `${label}${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''} in ` +
      `${files.length} files, ${seconds(performance.now() - began)} ` +
      `(the longest ${seconds(longest.durationMs)}: ${relative(top, longest.file)})`,
  )
}

function commonEnv(): Readonly<Record<string, string>> {
  return env
}

/** Starts what the ring needs and is not there yet; tells what cannot be had. */
async function provide(ring: Ring): Promise<string | undefined> {
  for (const name of ring.needs) {
    if (provided.has(name)) continue
    const result = await needs[name](interrupted.signal)
    if ('missing' in result) return result.missing
    provided.set(name, result)
  }
  return undefined
}

function choose(args: readonly string[]): {
  rings: { ring: Ring; files: readonly string[] }[]
  long: number
} {
  const names = new Set<string>()
  const paths: string[] = []
  let long = 0.1
  for (const arg of args.length > 0 ? args : ['default']) {
    const selection = selections[arg]
    if (selection) {
      for (const name of selection.rings) names.add(name)
      long = Math.max(long, selection.long)
    } else if (rings.some((ring) => ring.name === arg)) names.add(arg)
    else paths.push(resolve(arg))
  }
  const all = testFiles(fileURLToPath(new URL('.', import.meta.url)))
  const inPaths = (file: string) => paths.some((path) => file === path || file.startsWith(`${path}/`))
  const files = [
    ...all.filter(inPaths),
    ...paths.filter((path) => path.endsWith('.ts') && !all.includes(path)),
  ]
  const chosen = rings.map((ring) => ({
    ring,
    files: names.has(ring.name)
      ? all.filter((file) => ringOf(file) === ring && (paths.length === 0 || inPaths(file)))
      : names.size === 0
        ? files.filter((file) => (ringOf(file) ?? rings[0]) === ring)
        : [],
  }))
  return { rings: chosen.filter(({ files }) => files.length > 0), long }
}
