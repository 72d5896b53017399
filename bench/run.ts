/**
 * `npm run bench [-- SUITE … --pairs N --bytes N --project-bytes N --seed N --scratch DIR --results DIR]`: measures, prints
 * a table beside the yardsticks of the same run, and keeps the figures in `bench/results/`. Never a test: nothing here fails
 * for being slow.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { GIB, MIB } from '../pipeline/base/units.ts'
import { seeded } from '../test/support/random.ts'
import { type Row, type Settings, type Suite, save, table } from './report.ts'

const SUITES: Readonly<Record<string, () => Promise<Suite>>> = {
  parser: async () => (await import('./parser.ts')).parser,
  directory: async () => (await import('./directory.ts')).directory,
  planning: async () => (await import('./planning.ts')).planning,
  limiter: async () => (await import('./limiter.ts')).limiter,
  'directory-raw': async () => (await import('./directory-raw.ts')).directoryRaw,
  cassandra: async () => (await import('./cassandra.ts')).cassandra,
  'event-loop': async () => (await import('./event-loop.ts')).eventLoop,
  memory: async () => (await import('./memory.ts')).memory,
  projects: async () => (await import('./projects.ts')).projects,
  peers: async () => (await import('./peers.ts')).peers,
  'many-projects': async () => (await import('./many-projects.ts')).manyProjects,
  'many-saves': async () => (await import('./many-saves.ts')).manySaves,
  access: async () => (await import('./access.ts')).access,
  idle: async () => (await import('./idle.ts')).idle,
  scrub: async () => (await import('./scrub.ts')).scrub,
  'scrub-cassandra': async () => (await import('./scrub-cassandra.ts')).scrubCassandra,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '7' },
    bytes: { type: 'string', default: String(GIB) },
    'project-bytes': { type: 'string', default: String(450 * MIB) },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    scratch: { type: 'string', default: tmpdir() },
    results: { type: 'string', default: fileURLToPath(new URL('results', import.meta.url)) },
  },
})

const unknown = positionals.find((name) => !(name in SUITES))
if (unknown !== undefined) {
  process.stderr.write(`bench: there is no suite ${unknown}; there are ${Object.keys(SUITES).join(', ')}\n`)
  process.exit(2)
}

const chosen = Object.entries(SUITES).filter(
  ([name]) => positionals.length === 0 || positionals.includes(name),
)
const [only] = chosen
if (chosen.length === 1 && only) await measure(...only)
else for (const [name] of chosen) await inProcessOfItsOwn(name)

/**
 * What one leaves in memory would be counted for the next, and make each process that it starts cost more: a daemon of 191 MiB was
 * 990 behind four others. One that fails leaves the others to be measured.
 */
async function inProcessOfItsOwn(name: string): Promise<void> {
  const [, script = ''] = process.argv
  const options = Object.entries(values).flatMap(([option, value]) => [`--${option}`, value])
  const child = spawn(process.execPath, [...process.execArgv, script, name, ...options], { stdio: 'inherit' })
  // A Ctrl-C reaches it anyway, what is sent to us alone does not.
  for (const told of ['SIGINT', 'SIGTERM'] as const) {
    process.removeAllListeners(told)
    process.once(told, () => {
      child.kill(told)
      process.exit(130)
    })
  }
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  if (status === 0) return
  process.stderr.write(`bench: ${name} ended with ${status ?? signal}\n`)
  process.exitCode = 1
}

async function measure(name: string, load: () => Promise<Suite>): Promise<void> {
  const scratch = mkdtempSync(join(values.scratch, 'tidepool-bench-'))
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
  for (const told of ['SIGINT', 'SIGTERM'] as const) process.on(told, () => process.exit(130))
  process.stdout.write(
    `seed ${values.seed}, ${values.pairs} pairs, ${values.bytes} bytes, Node ${process.version}\n`,
  )
  const settings: Settings = {
    pairs: Number(values.pairs),
    bytes: Number(values.bytes),
    projectBytes: Number(values['project-bytes']),
    random: seeded(Number(values.seed)),
    scratch,
    tell: (what) => process.stderr.write(`bench: after ${Math.round(performance.now() / 1000)} s ${what}\n`),
  }
  const suite = await load()
  const rows: Row[] = await suite(settings)
  process.stdout.write(`\n${name}\n${table(rows)}\n`)
  save(values.results, name, rows, settings)
}
