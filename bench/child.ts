/** Runs a command to its end, and tells how long it took, what it used and how much memory it ever had. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { KIB, MIB } from '../pipeline/base/units.ts'

export interface Ran {
  readonly seconds: number
  /** The highest resident size of the process, its threads included. */
  readonly highestRssMib: number
  readonly stdout: string
}

/** Throws with what it printed where it exits with anything but 0. */
export async function run(
  command: readonly [string, ...string[]],
  options: { stdin?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const [file, ...args] = command
  const startedMs = performance.now()
  const child = spawn(file, args, {
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (text) => (stdout += text))
  child.stderr?.on('data', (text) => (stderr += text))
  let highestRssKib = 0
  // The kernel keeps the high-water mark; looking often enough to see it once near the end is all that is needed.
  const timer = setInterval(() => {
    highestRssKib = Math.max(highestRssKib, highWaterKib(child.pid))
  }, 10)
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...ended) => resolve(ended))
  }).finally(() => clearInterval(timer))
  if (code !== 0) throw new Error(`${command.join(' ')}: ended with ${code ?? signal}\n${stdout}${stderr}`)
  return {
    seconds: (performance.now() - startedMs) / 1000,
    highestRssMib: (highestRssKib * KIB) / MIB,
    stdout,
  }
}

function highWaterKib(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    // It has ended between two looks.
    return 0
  }
}
