/** First touches through the root of links, on the real ZFS and a directory store: each beside `zfs mount`, or the receive alone. */
import { execFile } from 'node:child_process'
import { readdir, readlink, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Host, withHosts } from '../test/support/hosts.ts'
import { bytes, type Random } from '../test/support/random.ts'
import { needs } from '../test/support/runner/needs.ts'
import { blockedCallers } from './callers.ts'
import { listing } from './listing.ts'
import { spread } from './pairs.ts'
import { timesRow } from './projects.ts'
import type { Row, Settings } from './report.ts'

const run = promisify(execFile)
const WALK_CHILD = fileURLToPath(new URL('./walk-child.ts', import.meta.url))
const WALKS = 10_000
const WALK_AT_MOST_US = 40
const WALK_P99_AT_MOST_US = 1000
const SAVES_AT_ONCE = 8
const SAVED_BYTES = 16 * 2 ** 20
/** Above `zfs mount` itself. */
const MOUNT_MORE_AT_MOST_MS = 30
const PROJECT_BYTES = 64 * 2 ** 20
/** Of the receive alone, once the part that does not grow with the stream is taken off. */
const RECEIVE_AT_MOST = 1.1
const FIXED_S = 0.1
const SETTLE_MS = 1000

export async function firstTouches({ pairs, random }: Settings): Promise<Row[]> {
  const zfs = await needs.zfs(new AbortController().signal)
  if ('missing' in zfs) throw new Error(`no ZFS: ${zfs.missing}`)
  const rows: Row[] = []
  try {
    await withHosts(async ([host], directory) => {
      if (!host) throw new Error('there is no host')
      const daemon = await host.daemon()
      const served = await host.access()
      await host.create('p1')
      rows.push(await residentTouch(host, pairs), await walks(host))
      rows.push(await walksWhileSaving(host, random))
      rows.push(await evictedTouch(host, join(directory, 'store'), pairs, random))
      for (const [name, { pid }] of [
        ['daemon', daemon.child],
        ['access process', served.child],
      ] as const)
        rows.push({ name: `memory of the ${name}`, value: await rssMib(pid), unit: 'MiB' })
    })
    rows.push(await listing(), ...(await blockedCallers()))
  } finally {
    await zfs.end()
  }
  return rows
}

/** Resident and unmounted: the daemon owns it and mounts it while the walk waits. */
async function residentTouch(host: Host, pairs: number): Promise<Row> {
  const more: number[] = []
  const bare: number[] = []
  for (let pair = 0; pair < pairs; pair++) {
    await host.ask('p1', 'close')
    const dataset = `${String((await host.status()).dataset)}/p1`
    bare.push(await tookMs(() => run('zfs', ['mount', dataset])))
    await run('zfs', ['unmount', dataset])
    const touched = await tookMs(() => readlink(`${host.root}/p1`))
    more.push(touched - (bare.at(-1) ?? 0))
  }
  const above = spread(more)
  return {
    name: 'first touch of a resident project, above `zfs mount`',
    value: above.median,
    unit: 'ms',
    spread: above,
    target: { atMost: MOUNT_MORE_AT_MOST_MS },
    note: `zfs mount alone ${spread(bare).median.toFixed(0)} ms`,
  }
}

/** The yardstick reads the same files from a warm cache, and so does the daemon. */
async function evictedTouch(host: Host, store: string, pairs: number, random: Random): Promise<Row> {
  await host.create('p2')
  await writeFile(join(host.mounts, 'p2', 'file'), bytes(random, PROJECT_BYTES))
  await host.ask('p2', 'save')
  await host.ask('p2', 'close')
  const files = await streamsOf(join(store, 'projects', 'p2'))
  const target = `${String((await host.status()).dataset)}-raw`
  const measured: { ours: number; raw: number }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    await host.ask('p2', 'evict')
    // What a pool frees behind a destroy is no part of either, and would fall into the first of them alone.
    await sleep(SETTLE_MS)
    const ours = (await tookMs(() => readlink(`${host.root}/p2`))) / 1000 - FIXED_S
    await sleep(SETTLE_MS)
    const script = 'target=$1; shift; for f; do zfs receive -u "$target" < "$f" || exit 1; done'
    const raw = (await tookMs(() => run('sh', ['-c', script, 'sh', target, ...files]))) / 1000
    await run('zfs', ['destroy', '-r', target])
    measured.push({ ours, raw })
  }
  return timesRow(
    `first touch of an evicted project, less ${FIXED_S} s`,
    'zfs receive < file',
    measured,
    { atMost: RECEIVE_AT_MOST },
    `${files.length} streams`,
  )
}

/** In the order in which they were made. */
async function streamsOf(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.zstream'))
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name)
      return { path, madeMs: (await stat(path)).mtimeMs }
    }),
  )
  return files.sort((a, b) => a.madeMs - b.madeMs).map(({ path }) => path)
}

async function walks(host: Host): Promise<Row> {
  const took = await walksOf(host, WALKS).ended
  const between = spread(took)
  return {
    name: 'path walk into a mounted project',
    value: between.median,
    unit: 'µs',
    spread: between,
    target: { atMost: WALK_AT_MOST_US },
    note: `p99 ${p99(took).toFixed(0)} µs`,
  }
}

/** All of them at the same time, each of something new; the walks end with the last. */
async function walksWhileSaving(host: Host, random: Random): Promise<Row> {
  const ids = Array.from({ length: SAVES_AT_ONCE }, (_, index) => `saved${index}`)
  for (const id of ids) {
    await host.create(id)
    await writeFile(join(host.mounts, id, 'file'), bytes(random, SAVED_BYTES))
  }
  const walking = walksOf(host)
  await sleep(SETTLE_MS)
  walking.begin()
  await Promise.all(ids.map((id) => host.ask(id, 'save')))
  walking.end()
  const took = await walking.ended
  return {
    name: `the same while ${SAVES_AT_ONCE} saves run, p99`,
    value: p99(took),
    unit: 'µs',
    target: { atMost: WALK_P99_AT_MOST_US },
    note: `${took.length} walks, median ${spread(took).median.toFixed(0)} µs`,
  }
}

/** By a program of its own: so many at once, or from when it is told to begin until it is told to end. */
function walksOf(
  host: Host,
  count?: number,
): { readonly ended: Promise<number[]>; begin(): void; end(): void } {
  const args = ['--import', import.meta.resolve('tsx'), WALK_CHILD, `${host.root}/p1`]
  if (count !== undefined) args.push(String(count))
  const walking = run(process.execPath, args, { cwd: '/', maxBuffer: 2 ** 28 })
  return {
    ended: walking.then(({ stdout }) => JSON.parse(stdout) as number[]),
    begin: () => void walking.child.stdin?.write('go'),
    end: () => walking.child.stdin?.end(),
  }
}

const p99 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? 0

async function tookMs(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

async function rssMib(pid: number | undefined): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)])
  return Number(stdout) / 1024
}
