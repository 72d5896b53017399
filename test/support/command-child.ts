/** The command as a real process: for what only a process can show, such as signals, pipes and being killed. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  /** Never rejects. */
  readonly ended: Promise<Ended>
}

const MAIN = fileURLToPath(new URL('tidepool.ts', import.meta.url))

/** `collect: false` leaves stdout to the caller. */
export function spawnTidepool(
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly collect?: boolean } = {},
): Running {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, ...args], {
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // It may leave, or be killed, before it has read all; how it ended tells.
  child.stdin.on('error', () => {})
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  if (options.collect !== false) child.stdout.on('data', (piece: Buffer) => stdout.push(piece))
  child.stderr.on('data', (piece: Buffer) => stderr.push(piece))
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) =>
      resolve({ code, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
    )
  })
  return { child, ended }
}

/** Runs it to its end with nothing on standard input. */
export async function runTidepool(args: readonly string[], env?: Record<string, string>): Promise<Ended> {
  const { child, ended } = spawnTidepool(args, env ? { env } : {})
  child.stdin.end()
  return ended
}
