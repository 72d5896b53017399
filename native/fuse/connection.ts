/** What the kernel tells of a root's connection to its process, and lets others do with it. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Mount, readMounts } from '../mount/mountinfo.ts'

const run = promisify(execFile)

const CONNECTIONS = '/sys/fs/fuse/connections'
const LOOK_MS = 5

type Connection = Pick<Mount, 'device'>

/** Whoever waits in it is let go, also where the process behind it hangs and cannot even be killed. */
export async function abortConnection(connection: Connection): Promise<void> {
  // Of a process that has ended the connection may be gone already.
  await writeFile(await control(connection, 'abort'), '1').catch(() => {})
}

/** Resolves once nobody waits in it for an answer, at the limit too; at once where the kernel does not tell, or the connection is gone. */
export async function untilAnswered(connection: Connection, limitMs: number): Promise<void> {
  const waiting = await control(connection, 'waiting')
  for (const end = performance.now() + limitMs; performance.now() < end; await sleep(LOOK_MS))
    if ((await countIn(waiting)) === 0) return
}

/** Requests that it has not answered yet; none where the kernel does not tell. */
export async function waitingIn(connection: Connection): Promise<number> {
  return countIn(await control(connection, 'waiting'))
}

const countIn = async (file: string): Promise<number> => Number(await readFile(file, 'utf8').catch(() => 0))

async function control({ device }: Connection, file: string): Promise<string> {
  if (!(await readMounts()).some(({ mountPoint }) => mountPoint === CONNECTIONS))
    // systemd mounts it; where it cannot be had, only a process that hangs keeps its callers.
    await run('mount', ['-t', 'fusectl', 'fusectl', CONNECTIONS], { cwd: '/' }).catch(() => {})
  return `${CONNECTIONS}/${device.split(':')[1]}/${file}`
}
