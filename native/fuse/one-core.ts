/**
 * Keeps a process whose threads only take turns on one core. A walk goes from its caller to a thread of the addon, to Node and back,
 * and on a host that is not busy each step wakes a core that had gone to sleep: 50 µs a walk, 37 on one core; the same where both
 * cores were busy with other work. Sixteen callers at once had a sixth less, 35,000 walks a second. A higher priority gave nothing.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const LIMIT_MS = 1000

/**
 * The last one that it may use, as the first has the interrupts. With all its threads: those to come are where the thread was that
 * makes them, so none may be made meanwhile.
 */
export async function stayOnOneCore(pid: number): Promise<void> {
  const core = lastOf(await readFile(`/proc/${pid}/status`, 'utf8'))
  await run('taskset', ['--all-tasks', '--cpu-list', '--pid', core, String(pid)], {
    cwd: '/',
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  })
}

function lastOf(status: string): string {
  const [, core] = /^Cpus_allowed_list:.*?(\d+)$/m.exec(status) ?? []
  if (core === undefined) throw new Error('the kernel does not tell which cores it may use')
  return core
}
