/**
 * A directory with a place for a root of links and one for what they lead to. Whoever looks into a root is a process of its own
 * with a limit: one that waits for an answer that never comes can be ended by nobody.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { abortConnection } from '../../native/fuse/connection.ts'
import { isOurRoot } from '../../native/fuse/stale.ts'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { PLAIN } from './tree-changes.ts'

const run = promisify(execFile)

export interface FuseWorld {
  /** Passed through by everybody, as all below it. */
  readonly directory: string
  readonly root: string
  readonly mountRoot: string
}

/** Nothing that was mounted or started in it is left afterwards. */
export async function withFuseWorld(
  body: (world: FuseWorld, started: Started) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tidepool-test-fuse-'))
  const world = { directory, root: join(directory, 'projects'), mountRoot: join(directory, 'real') }
  const started = new Started()
  try {
    await chmod(directory, 0o711)
    await mkdir(world.root)
    await mkdir(world.mountRoot, { mode: 0o711 })
    await body(world, started)
  } finally {
    await started.end()
    await unmountBelow(directory)
    await rm(directory, { recursive: true, force: true })
  }
}

async function unmountBelow(directory: string): Promise<void> {
  const below = (await readMounts()).filter(({ mountPoint }) => mountPoint.startsWith(`${directory}/`))
  for (const mount of below.reverse()) {
    if (isOurRoot(mount)) await abortConnection(mount)
    await run('umount', ['-l', '-c', '-i', mount.mountPoint])
  }
}

/** What a test has started; ended with it. */
export class Started {
  readonly #children: ChildProcess[] = []

  /** Resolves once it has printed the word; rejects with what it printed where it ends before. */
  async program(script: string, args: readonly string[], word: string): Promise<Program> {
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: '/',
    })
    this.#children.push(child)
    let printed = ''
    const said = new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          printed += text
          if (printed.includes(word)) resolve()
        })
      child.once('exit', (code, signal) => reject(new Error(`it ended by ${signal ?? code}:\n${printed}`)))
    })
    await said
    return { child, printed: () => printed }
  }

  async end(): Promise<void> {
    for (const child of this.#children) await killed(child)
  }
}

export interface Program {
  readonly child: ChildProcess
  readonly printed: () => string
}

export async function killed(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

export interface Walked {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Shell lines, as root or as a plain user; never rejects. Ended by SIGKILL at the limit, with code null. */
export function walk(
  lines: string,
  { plain = false, limitMs = 15_000 }: { readonly plain?: boolean; readonly limitMs?: number } = {},
): Promise<Walked> {
  return new Promise((resolve) => {
    const options = {
      cwd: '/',
      timeout: limitMs,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 26,
      ...(plain ? PLAIN : {}),
    }
    execFile('sh', ['-uc', lines], options as object, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : null) : 0
      resolve({ code, stdout: String(stdout), stderr: String(stderr) })
    })
  })
}

/** Looks again until it is so. */
export async function eventually(what: string, limitMs: number, so: () => Promise<boolean>): Promise<number> {
  const began = performance.now()
  while (!(await so())) {
    if (performance.now() - began > limitMs) throw new Error(`${what}: not within ${limitMs} ms`)
    await sleep(50)
  }
  return performance.now() - began
}
