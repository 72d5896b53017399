/** First touches through the root of links, on the real ZFS and a directory store: each beside `zfs mount`, or the receive alone. */
import { execFile } from 'node:child_process'
import { readlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type Host, withHosts } from '../test/support/hosts.ts'
import { needs } from '../test/support/runner/needs.ts'
import { spread } from './pairs.ts'
import type { Row, Settings } from './report.ts'

const run = promisify(execFile)
const WALKS = 10_000
const WALK_AT_MOST_US = 40
/** Above `zfs mount` itself. */
const MOUNT_MORE_AT_MOST_MS = 30

export async function firstTouches({ pairs }: Settings): Promise<Row[]> {
  const zfs = await needs.zfs(new AbortController().signal)
  if ('missing' in zfs) throw new Error(`no ZFS: ${zfs.missing}`)
  const rows: Row[] = []
  try {
    await withHosts(async ([host]) => {
      if (!host) throw new Error('there is no host')
      const daemon = await host.daemon()
      const served = await host.access()
      await host.create('p1')
      rows.push(await residentTouch(host, pairs), await walks(host))
      for (const [name, { pid }] of [
        ['daemon', daemon.child],
        ['access process', served.child],
      ] as const)
        rows.push({ name: `memory of the ${name}`, value: await rssMib(pid), unit: 'MiB' })
    })
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

async function walks(host: Host): Promise<Row> {
  const took: number[] = []
  for (let walk = 0; walk < WALKS; walk++) took.push((await tookMs(() => readlink(`${host.root}/p1`))) * 1000)
  const between = spread(took)
  const p99 = [...took].sort((a, b) => a - b)[Math.floor(WALKS * 0.99)] ?? 0
  return {
    name: 'path walk into a mounted project',
    value: between.median,
    unit: 'µs',
    spread: between,
    target: { atMost: WALK_AT_MOST_US },
    note: `p99 ${p99.toFixed(0)} µs, with the way through a thread of Node`,
  }
}

async function tookMs(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

async function rssMib(pid: number | undefined): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)])
  return Number(stdout) / 1024
}
