/** A process that no test is the parent of, as those of a host's users are; ended by its number. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { until } from './within.ts'

export interface Orphan {
  readonly pid: number
  readonly isAlive: () => Promise<boolean>
  readonly end: () => void
}

/** A `sleep` in that directory; `deaf` to SIGTERM where it is told. It ends by itself after a minute. */
export async function orphanIn(cwd: string, { deaf = false } = {}): Promise<Orphan> {
  const trap = deaf ? "trap '' TERM; " : ''
  // The inner one says its number once its trap is set, and loses its parent at once.
  const script = `sh -c "${trap}echo \\$\\$; exec sleep 60 >/dev/null" &`
  const parent = spawn('sh', ['-c', script], { cwd, stdio: ['ignore', 'pipe', 'ignore'], detached: true })
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(String(line).trim())
  if (parent.exitCode === null) await once(parent, 'exit')
  // It says its number as a shell, and is what it is told to be a moment later: on a busy machine much later.
  await until('the orphan sleeps', async () => (await commandOf(pid)).startsWith('sleep\0'))
  return {
    pid,
    isAlive: async () => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      return stat !== '' && !/\) Z /.test(stat)
    },
    end: () => {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended.
      }
    },
  }
}

const commandOf = (pid: number): Promise<string> => readFile(`/proc/${pid}/cmdline`, 'utf8')
