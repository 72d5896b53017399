/** One child process, from its start to the moment when nothing of it is left. */
import type { Readable, Writable } from 'node:stream'
import { errnoOf } from '../../pipeline/base/errors.ts'
import { processState } from './process-state.ts'
import { type Spawned, spawnHere } from './spawned.ts'
import { Tail } from './tail.ts'

const STDERR_BYTES = 32 * 1024

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ChildOptions {
  readonly program: string
  readonly args: readonly string[]
  readonly stdin: boolean
  /** It writes a stream for us, and ends by itself when we no longer read it. */
  readonly streams?: boolean
  readonly termGraceMs: number
  readonly killGraceMs: number
  /** Starts it in our place, where it can just now. */
  readonly spawn?: (program: string, args: readonly string[]) => Spawned | undefined
  /** Sends a signal to the process group; tests put something deaf here. */
  readonly kill?: (pid: number, signal: NodeJS.Signals) => void
}

export class Child {
  readonly stdout: Readable
  readonly stderr = new Tail(STDERR_BYTES)
  /** Resolves when it has ended and all that it printed was read; rejects only where it could not be started. */
  readonly ended: Promise<Ending>
  readonly #process: Spawned
  readonly #options: ChildOptions
  #over = false
  #stopping: Promise<boolean> | undefined

  constructor(options: ChildOptions) {
    this.#options = options
    const { program, args, stdin: withStdin } = options
    this.#process =
      (withStdin ? undefined : options.spawn?.(program, args)) ?? spawnHere(program, args, withStdin)
    const { stdout, stderr, stdin } = this.#process
    this.stdout = stdout
    stderr.on('data', (chunk: Buffer) => this.stderr.push(chunk))
    // A pipe that breaks shows itself in what the child says when it ends, or to whoever writes to it.
    for (const stream of [stdout, stderr, stdin]) stream?.on('error', () => {})
    this.ended = new Promise((resolve, reject) => {
      this.#process.once('error', (error) => {
        if (this.#process.pid === undefined) {
          this.#over = true
          reject(error)
        }
      })
      // What it started and did not wait for holds its pipes, and would keep us waiting for their end.
      this.#process.once('exit', () => this.#signal('SIGKILL'))
      this.#process.once('close', (code, signal) => {
        this.#over = true
        resolve({ code, signal })
      })
    })
    this.ended.catch(() => {}) // whoever waits for it sees it; nobody may be there yet
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  get stdin(): Writable {
    const { stdin } = this.#process
    if (stdin === null) throw new TypeError('this child was started without a stdin')
    return stdin
  }

  get over(): boolean {
    return this.#over
  }

  /** SIGTERM, then SIGKILL. True when it has ended, false when it cannot be ended. */
  stop(): Promise<boolean> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** What cannot be ended is left to itself: it no longer keeps our process alive, nor do its pipes. */
  abandon(): void {
    this.#process.stdin?.destroy()
    this.#process.stdout.destroy()
    this.#process.stderr.destroy()
    this.#process.unref()
  }

  /** As `processState` tells it. */
  get state(): string | undefined {
    return processState(this.pid)
  }

  async #stop(): Promise<boolean> {
    if (this.#over) return true
    // zfs-fuse reads the stream itself, through the descriptor it was handed: only the end of the pipe stops it.
    this.#process.stdin?.destroy()
    // And it is the daemon that writes what is sent: it ends when nobody can read any more.
    this.stdout.destroy()
    // OpenZFS 2.3's `zfs send` feeds a socket, which is what Node's pipes are, through a pipe and a thread of its own. A signal
    // that comes while it reads the pool ends that thread alone: the rest then waits in the kernel for room in that pipe,
    // for ever, deaf to SIGKILL, and holds the pool.
    if (this.#options.streams && (await this.#endsWithin(this.#options.termGraceMs))) return true
    this.#signal('SIGTERM')
    if (await this.#endsWithin(this.#options.termGraceMs)) return true
    this.#signal('SIGKILL')
    return this.#endsWithin(this.#options.killGraceMs)
  }

  #signal(signal: NodeJS.Signals): void {
    const { kill } = this.#options
    try {
      if (!kill) this.#process.signal(signal)
      else if (this.#process.pid !== undefined) kill(this.#process.pid, signal)
    } catch (error) {
      // It has ended by itself, or is out of our reach: then it is found out that it does not end.
      if (errnoOf(error) !== 'ESRCH' && errnoOf(error) !== 'EPERM') throw error
    }
  }

  #endsWithin(limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(this.#over), limitMs)
      const onEnd = (): void => {
        clearTimeout(timer)
        resolve(true)
      }
      this.ended.then(onEnd, onEnd)
    })
  }
}
