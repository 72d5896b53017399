/** Runs one of the shell scripts under test/support, and keeps what it prints. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface ScriptRan {
  readonly code: number | null
  readonly output: string
}

export function runScript(
  name: 'cassandra.sh' | 'zfs-fuse.sh',
  args: readonly string[],
  signal?: AbortSignal,
): Promise<ScriptRan> {
  const script = fileURLToPath(new URL(`../${name}`, import.meta.url))
  return new Promise((resolve, reject) => {
    // A session of its own: a Ctrl-C ends it when we say so, not in the middle of a start.
    const child = spawn('sh', [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    const abort = () => void (child.pid && process.kill(-child.pid, 'SIGTERM'))
    signal?.addEventListener('abort', abort, { once: true })
    child.once('error', reject)
    child.once('close', (code) => {
      signal?.removeEventListener('abort', abort)
      resolve({ code, output: output.trim() })
    })
  })
}
