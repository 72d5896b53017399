/**
 * Runs the tests: `tsx test/run.ts [SELECTION | RING | FILE | FOLDER]...`, by default the selection `default`.
 *
 * The last line is `N passed, N failed`, with `, N skipped` where some were; the exit code says the same. Where
 * TIDEPOOL_TOTALS names a file, the three numbers are appended to it instead of being printed. TIDEPOOL_REQUIRE=all
 * makes a ring that cannot run here a failure. TIDEPOOL_SEED and TIDEPOOL_LONG are kept where they are set.
 * TIDEPOOL_PATIENCE=8 gives each file eight times its limit, on a machine that is that slow.
 */
import { appendFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Ring } from './rings.ts'
import { choose } from './support/runner/choose.ts'
import { type NeedName, needs, type Provided, rivals } from './support/runner/needs.ts'
import { type FileResult, runFiles } from './support/runner/pool.ts'

type Counts = { passed: number; failed: number; skipped: number }

const top = fileURLToPath(new URL('..', import.meta.url))
const say = (line: string) => void process.stdout.write(`${line}\n`)
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const countsText = ({ passed, failed, skipped }: Counts) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    say('interrupted: ending what was started')
    interrupted.abort()
  })
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 }
const provided = new Map<NeedName, Provided>()
const plan = choose(process.argv.slice(2))
const patience = Number(process.env.TIDEPOOL_PATIENCE ?? 1)
const seed = process.env.TIDEPOOL_SEED ?? String(Math.floor(Math.random() * 2 ** 31))
const env = { TIDEPOOL_SEED: seed, TIDEPOOL_LONG: process.env.TIDEPOOL_LONG ?? String(plan.long) }

try {
  for (const { ring, files } of plan.parts) await runRing(ring, files)
} catch (error) {
  if (!interrupted.signal.aborted) throw error
} finally {
  for (const need of provided.values()) await need.end()
}
if (interrupted.signal.aborted) process.exit(130)

if (total.failed > 0) say(`repeat the random ones with TIDEPOOL_SEED=${seed}`)
const { TIDEPOOL_TOTALS: totals } = process.env
if (totals) appendFileSync(totals, `${total.passed} ${total.failed} ${total.skipped}\n`)
else say(countsText(total))
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0

async function runRing(ring: Ring, files: readonly string[]): Promise<void> {
  const began = performance.now()
  const label = `${ring.name}:`.padEnd(16)
  const sum: Counts = { passed: 0, failed: 0, skipped: 0 }
  const lack = await provide(ring)
  if (lack !== undefined) {
    // How many tests these files hold is not known without running them, so a file counts as one.
    const required = process.env.TIDEPOOL_REQUIRE === 'all' || lack.broken
    total[required ? 'failed' : 'skipped'] += files.length
    return say(`${label}${required ? 'FAILED' : 'skipped'} (${files.length} files): ${lack.reason}`)
  }
  const ringEnv = Object.assign({}, env, ...ring.needs.map((need) => provided.get(need)?.env))
  let longest = { file: '', durationMs: 0 }
  const options = {
    jobs: ring.jobs,
    limitMs: ring.limitMs * patience,
    env: ringEnv,
    signal: interrupted.signal,
  }
  for await (const result of runFiles(files, options)) {
    for (const counts of [sum, total]) {
      counts.passed += result.passed
      counts.failed += result.failed
      counts.skipped += result.skipped
    }
    if (result.durationMs > longest.durationMs) longest = result
    if (result.failed > 0) show(result)
  }
  say(
    `${label}${countsText(sum)} in ${files.length} files and ${seconds(performance.now() - began)}` +
      ` (longest: ${relative(top, longest.file)}, ${seconds(longest.durationMs)})`,
  )
}

function show(result: FileResult): void {
  say(`\n--- ${relative(top, result.file)}: ${countsText(result)}`)
  if (result.log.trim() !== '') say(result.log.trim())
  for (const problem of result.problems) say(`   FAIL  ${problem}`)
  say('')
}

/** Starts what the ring needs and is not there yet; tells what cannot be had, and whether that is a fault. */
async function provide(ring: Ring): Promise<{ reason: string; broken: boolean } | undefined> {
  for (const name of ring.needs) {
    if (provided.has(name)) continue
    try {
      for (const rival of rivals[name]) {
        await provided.get(rival)?.end()
        provided.delete(rival)
      }
      const result = await needs[name](interrupted.signal)
      if ('missing' in result) return { reason: result.missing, broken: false }
      provided.set(name, result)
    } catch (error) {
      interrupted.signal.throwIfAborted()
      return { reason: error instanceof Error ? error.message : String(error), broken: true }
    }
  }
  return undefined
}
