/** A process that was started, as much of it as whoever waits for its end needs; here, or by the launcher. */
import { spawn } from 'node:child_process'
import type { EventEmitter } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { startedByUs } from './leftovers.ts'

export interface Spawned extends Pick<EventEmitter, 'once'> {
  /** Undefined where it could not be started: then `error` follows, else `exit` and `close`. */
  readonly pid?: number | undefined
  readonly stdin: Writable | null
  readonly stdout: Readable
  readonly stderr: Readable
  /** To its whole group. Throws where there is none any more. */
  signal(name: NodeJS.Signals): void
  /** It no longer keeps our process alive. */
  unref(): void
}

/** Words that we can read, and who began it. */
export const commandEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  LC_ALL: 'C',
  LANG: 'C',
  TZ: 'UTC',
  ...startedByUs(),
})

/** In a session of its own: a Ctrl-C at our terminal reaches it when we say so, not in the middle of a change. */
export function spawnHere(program: string, args: readonly string[], withStdin: boolean): Spawned {
  const child = spawn(program, args, {
    stdio: [withStdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: commandEnvironment(),
    detached: true,
  })
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new TypeError('a child without its pipes')
  return Object.assign(child, {
    stdout,
    stderr,
    signal: (name: NodeJS.Signals) => {
      if (child.pid !== undefined) process.kill(-child.pid, name)
    },
  })
}
