/** What all processes of a host take while hundreds of callers wait in the root for projects that are not mounted. */
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { walk } from '../test/support/fuse.ts'
import { withHosts } from '../test/support/hosts.ts'
import type { Row } from './report.ts'

const run = promisify(execFile)
const PROJECTS = 50
const CALLERS_EACH = 10
const WAIT_LIMIT_MS = 300_000
const LOOK_MS = 100

export async function blockedCallers(): Promise<Row[]> {
  const rows: Row[] = []
  await withHosts(async ([host]) => {
    if (!host) throw new Error('there is no host')
    const ours = [(await host.daemon()).child.pid, (await host.access()).child.pid]
    const ids = Array.from({ length: PROJECTS }, (_, index) => `p${index}`)
    for (const id of ids) {
      await host.create(id)
      await host.ask(id, 'close')
    }
    const before = await rssMib(ours)
    const callers = ids
      .flatMap((id) => Array.from({ length: CALLERS_EACH }, () => id))
      .map((id) => `(ls ${host.root}/${id}/ > /dev/null && echo served) &`)
    const startedMs = performance.now()
    const walking = walk(`${callers.join('\n')}\nwait`, { limitMs: WAIT_LIMIT_MS })
    let isOver = false
    const over = walking.finally(() => {
      isOver = true
    })
    let most = before
    while (!isOver) {
      const now = await rssMib(ours)
      if (sum(now) > sum(most)) most = now
      await sleep(LOOK_MS)
    }
    const { stdout, stderr } = await over
    const tookS = (performance.now() - startedMs) / 1000
    const served = stdout.trim().split('\n').length
    if (served !== PROJECTS * CALLERS_EACH) throw new Error(`${served} were served: ${stderr}`)
    rows.push({
      name: `memory of daemon, access process and their commands, ${served} callers waiting for ${PROJECTS} projects`,
      value: sum(most),
      unit: 'MiB',
      note: `${sum(before).toFixed(0)} MiB before; all served within ${tookS.toFixed(1)} s`,
    })
  })
  return rows
}

const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0)

/** Of the processes and of what they have started, at this moment. */
async function rssMib(pids: readonly (number | undefined)[]): Promise<number[]> {
  const { stdout } = await run('ps', ['-e', '-o', 'pid=,ppid=,rss='])
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  return pids.map((pid) =>
    sum(all.filter(([own, parent]) => own === pid || parent === pid).map(([, , kib]) => (kib ?? 0) / 1024)),
  )
}
