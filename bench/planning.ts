/** How long a plan, a retention and the search for superfluous edges take in a project with 10,000 edges: milliseconds. */
import { pathToFileURL } from 'node:url'
import { superfluousWrites } from '../pipeline/graph/needed.ts'
import { pathToHead } from '../pipeline/graph/plan.ts'
import { DEFAULT_RETENTION, retain } from '../pipeline/graph/retention.ts'
import type { Project, WriteRow } from '../pipeline/graph/state.ts'
import { edge, projectOf } from '../test/support/graph.ts'
import { int, seeded } from '../test/support/random.ts'
import { spread } from './pairs.ts'
import type { Row } from './report.ts'

/** A project that is saved every minute for a week and never tidied up. */
const EDGES = 10_000
const MINUTE_MS = 60_000
/** Each is over within a few milliseconds, and on a shared machine most rounds wait longer than they work: the least counts. */
const ROUNDS = 21
const AT_MOST_MS = 50

export async function planning(): Promise<Row[]> {
  const chain = projectOf(steps((to) => to - 1))
  const counter = projectOf(steps((to) => to - (to & -to)))
  const random = seeded(1)
  const tangle = projectOf(steps((to) => int(random, 0, to - 1)))
  const points = [...chain.rows.values()].map(({ to, manifest }) => ({
    guid: to,
    atMs: manifest?.stream.createdAtMs ?? 0,
    sentAtMs: manifest?.stream.createdAtMs ?? 0,
  }))
  return [
    ...shapes('plan', { chain, counter, tangle }, pathToHead),
    cost('retention', () => retain(points, DEFAULT_RETENTION)),
    ...shapes('superfluous edges', { chain, counter, tangle }, superfluousWrites),
  ]
}

/** One step to each point, from where `baseOf` says. */
function steps(baseOf: (to: number) => number): WriteRow[] {
  return Array.from({ length: EDGES }, (_, index) => {
    const to = index + 1
    return edge(`w${String(to).padStart(6, '0')}`, baseOf(to), to, { bytes: 1_000_000, atMs: to * MINUTE_MS })
  })
}

function shapes(what: string, projects: Record<string, Project>, work: (project: Project) => unknown): Row[] {
  return Object.entries(projects).map(([shape, project]) => cost(`${what}, a ${shape}`, () => work(project)))
}

function cost(name: string, work: () => unknown): Row {
  const took = Array.from({ length: ROUNDS }, () => {
    const beganAtMs = performance.now()
    work()
    return performance.now() - beganAtMs
  })
  const between = spread(took)
  return {
    name: `${name} (${EDGES} edges)`,
    value: between.min,
    unit: 'ms',
    spread: between,
    target: { atMost: AT_MOST_MS },
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  for (const { name, value, unit } of await planning()) console.log(`${name}: ${value.toFixed(1)} ${unit}`)
