/**
 * Keeps an access process running beside a daemon that no service manager runs. One that an earlier daemon left is gone on with:
 * walks into what is mounted must not notice that a daemon was killed and started again.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { errnoOf } from '../../pipeline/base/errors.ts'
import { makeRoot } from './make-root.ts'

export interface SuperviseOptions {
  readonly root: string
  readonly mountRoot: string
  readonly socket: string
  readonly browse: string
  readonly pidFile: string
  readonly logFile: string
}

const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const MAIN = fileURLToPath(new URL(`./main${EXTENSION}`, import.meta.url))
/** Found once, at the start: while `npm ci` runs it is not there, and then a start fails and is repeated. */
const THROUGH = EXTENSION === '.ts' ? ['--import', import.meta.resolve('tsx')] : []
const LOOK_MS = 500
/** After one that ended at once, and twice as long after each more: what keeps it from serving will not have gone in a moment. */
const REST_MS = 1000
const LONGEST_REST_MS = 60_000

/** Until the signal fires; then the process is ended, with its root unmounted. */
export async function superviseAccess(options: SuperviseOptions, signal: AbortSignal): Promise<void> {
  await makeRoot(options.root)
  await mkdir(dirname(options.pidFile), { recursive: true })
  let pid = await leftOver(options)
  for (let restMs = REST_MS; !signal.aborted; ) {
    if (pid === undefined) {
      pid = start(options).pid
      if (pid !== undefined) await writeFile(options.pidFile, String(pid))
    }
    const startedMs = performance.now()
    while (!signal.aborted && pid !== undefined && (await serves(pid, options))) await pause(LOOK_MS, signal)
    if (signal.aborted) break
    pid = undefined
    const endedAtOnce = performance.now() - startedMs < LONGEST_REST_MS
    if (endedAtOnce && restMs > REST_MS) await pause(restMs, signal)
    restMs = endedAtOnce ? Math.min(restMs * 2, LONGEST_REST_MS) : REST_MS
  }
  if (pid !== undefined) await end(pid, options)
  await rm(options.pidFile, { force: true })
}

/** The one that a daemon left which was killed; false where there is none. */
export async function endAccess(options: Pick<SuperviseOptions, 'root' | 'pidFile'>): Promise<boolean> {
  const pid = await leftOver(options)
  if (pid === undefined) return false
  await end(pid, options)
  await rm(options.pidFile, { force: true })
  return true
}

const pause = (ms: number, signal: AbortSignal): Promise<unknown> =>
  sleep(ms, undefined, { signal }).catch(() => {})

/** In a session of its own: a Ctrl-C in our terminal is not meant for it. */
function start({ root, mountRoot, socket, browse, logFile }: SuperviseOptions): ChildProcess {
  const log = openSync(logFile, 'a', 0o600)
  const args = ['--root', root, '--mount-root', mountRoot, '--socket', socket, '--browse', browse]
  const child = spawn(process.execPath, [...THROUGH, MAIN, ...args], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.once('error', () => {}) // it is seen not to run
  child.unref()
  return child
}

async function leftOver(options: Pick<SuperviseOptions, 'root' | 'pidFile'>): Promise<number | undefined> {
  const pid = Number(await readFile(options.pidFile, 'utf8').catch(() => ''))
  return pid > 1 && (await serves(pid, options)) ? pid : undefined
}

/** A number may have become another process's meanwhile. */
async function serves(pid: number, { root }: Pick<SuperviseOptions, 'root'>): Promise<boolean> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return line.includes(MAIN) && line.split('\0').includes(root)
}

const END_LIMIT_MS = 10_000

async function end(pid: number, options: Pick<SuperviseOptions, 'root'>): Promise<void> {
  for (const [signal, limitMs] of [
    ['SIGTERM', END_LIMIT_MS],
    ['SIGKILL', LOOK_MS],
  ] as const) {
    if (!(await serves(pid, options))) return
    try {
      process.kill(pid, signal)
    } catch (error) {
      if (errnoOf(error) === 'ESRCH') return
      throw error
    }
    for (const over = performance.now() + limitMs; performance.now() < over; await sleep(20))
      if (!(await serves(pid, options))) return
  }
}
