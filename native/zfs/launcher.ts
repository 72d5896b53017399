/**
 * Has short commands started by a small process of its own (`launch.js`, which says why): 1.6 ms a command where a daemon of 200 MiB takes
 * 6.5, most of which its event loop stands still. Streams are not for it: their bytes would go through one process more.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { processState } from './process-state.ts'
import { commandEnvironment, type Spawned } from './spawned.ts'

export type Order =
  | { readonly id: number; readonly program: string; readonly args: readonly string[] }
  | { readonly id: number; readonly signal: NodeJS.Signals }

type Told =
  | { readonly ready: true }
  | { readonly id: number; readonly pid: number }
  | { readonly id: number; readonly out: Uint8Array }
  | { readonly id: number; readonly err: Uint8Array }
  | { readonly id: number; readonly error: { readonly message: string } }
  | { readonly id: number; readonly code: number | null; readonly signal: NodeJS.Signals | null }

const PROGRAM = fileURLToPath(new URL('launch.js', import.meta.url))
/** One that ends by itself is followed by another; one that never listened, because its file is away or memory is short, by one later and later. */
const REST_MS = 1000
const LONGEST_REST_MS = 60_000
const LOOK_MS = 20

export class Launcher {
  #process: ChildProcess | undefined
  #isReady = false
  #rest: NodeJS.Timeout | undefined
  #restMs = REST_MS
  #lastId = 0
  readonly #launched = new Map<number, Launched>()

  constructor() {
    this.#begin()
  }

  /** Undefined while there is none that listens: whoever wants it has to start it himself. */
  spawn(program: string, args: readonly string[]): Spawned | undefined {
    const by = this.#process
    if (!this.#isReady || !by?.connected) return undefined
    const id = ++this.#lastId
    const launched = new Launched(
      (signal) => this.#order(by, { id, signal }),
      () => {
        if (launched.isOver) this.#launched.delete(id)
        this.#keepAlive(by)
      },
    )
    this.#launched.set(id, launched)
    this.#keepAlive(by)
    this.#order(by, { id, program, args })
    return launched
  }

  /** What was begun comes to its end, unseen by us. */
  end(): void {
    clearTimeout(this.#rest)
    const by = this.#process
    this.#process = undefined
    this.#isReady = false
    if (by?.connected) by.disconnect()
  }

  /** Of the process, while it listens. */
  get pid(): number | undefined {
    return this.#isReady ? this.#process?.pid : undefined
  }

  #begin(): void {
    let by: ChildProcess
    try {
      // Where the sources are run, what compiles them is among our own arguments, and would make it three times as large.
      by = fork(PROGRAM, [], {
        cwd: '/',
        detached: true,
        env: commandEnvironment(),
        execArgv: [],
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
    } catch {
      this.#beginLater() // no memory for it: until there is, commands are started here
      return
    }
    this.#process = by
    by.on('message', (told: Told) => this.#hear(told))
    by.on('error', () => {
      if (by.pid === undefined) this.#lost(by)
    })
    // Not by its end alone: what it has told before is read only then, and who was started would not be known.
    let left = 2
    for (const event of ['exit', 'disconnect'])
      by.once(event, () => {
        if (this.#process === by) this.#isReady = false
        left -= 1
        if (left === 0) this.#lost(by)
      })
    by.unref()
    by.channel?.unref()
  }

  #beginLater(): void {
    this.#rest = setTimeout(() => this.#begin(), this.#restMs).unref()
    this.#restMs = Math.min(2 * this.#restMs, LONGEST_REST_MS)
  }

  #hear(told: Told): void {
    if ('ready' in told) {
      this.#isReady = true
      this.#restMs = REST_MS
      return
    }
    this.#launched.get(told.id)?.hear(told)
  }

  #order(by: ChildProcess, order: Order): void {
    by.send(order, () => {}) // of a channel that breaks we hear by its process's end
  }

  /** Our process waits for what was begun and not left to itself. */
  #keepAlive(by: ChildProcess): void {
    if ([...this.#launched.values()].some(({ isLeft }) => !isLeft)) by.channel?.ref()
    else by.channel?.unref()
  }

  #lost(by: ChildProcess): void {
    const orphans = [...this.#launched.values()]
    for (const launched of orphans) launched.orphaned()
    if (this.#process !== by) return
    this.#isReady = false
    this.#process = undefined
    this.#beginLater()
  }
}

class Launched extends EventEmitter implements Spawned {
  pid: number | undefined
  readonly stdin = null
  readonly stdout = new Readable({ read() {} })
  readonly stderr = new Readable({ read() {} })
  isOver = false
  isLeft = false
  readonly #order: (signal: NodeJS.Signals) => void
  readonly #changed: () => void
  #orphaned = false

  constructor(order: (signal: NodeJS.Signals) => void, changed: () => void) {
    super()
    this.#order = order
    this.#changed = changed
  }

  hear(told: Exclude<Told, { ready: true }>): void {
    if ('pid' in told) this.pid = told.pid
    else if ('out' in told) this.#push(this.stdout, told.out)
    else if ('err' in told) this.#push(this.stderr, told.err)
    else if ('error' in told) this.#fail(Object.assign(new Error(told.error.message), told.error))
    else this.#end(told.code, told.signal)
  }

  signal(name: NodeJS.Signals): void {
    if (!this.#orphaned) this.#order(name)
    else if (this.pid !== undefined) process.kill(-this.pid, name)
  }

  unref(): void {
    this.isLeft = true
    this.#changed()
  }

  /** Nobody tells any more how it ends: so it is ended, and waited for as long as that takes. */
  orphaned(): void {
    this.#orphaned = true
    const { pid } = this
    if (pid === undefined) {
      const hint = 'It is not known whether it was started: see `dmesg` for what ends processes here.'
      this.#fail(
        new TidepoolError('zfs-launcher', 'the process that starts commands has ended', {
          temporary: true,
          hint,
        }),
      )
      return
    }
    const look = (): void => {
      try {
        process.kill(-pid, 'SIGKILL')
      } catch (error) {
        // Gone, or out of our reach: then it is found out that it does not end.
        if (errnoOf(error) !== 'ESRCH' && errnoOf(error) !== 'EPERM') throw error
      }
      // Whoever buries it now may take his time.
      if ([undefined, 'Z'].includes(processState(pid))) {
        this.#end(null, 'SIGKILL')
        return
      }
      const timer = setTimeout(look, LOOK_MS)
      if (this.isLeft) timer.unref()
    }
    look()
  }

  #push(to: Readable, bytes: Uint8Array): void {
    if (!to.destroyed) to.push(bytes)
  }

  #fail(error: Error): void {
    this.isOver = true
    this.#changed()
    this.emit('error', error)
  }

  /** As of a child's `close`: all that it printed has been read, or nobody reads it. */
  #end(code: number | null, signal: NodeJS.Signals | null): void {
    this.emit('exit', code, signal)
    let open = 2
    const closed = (): void => {
      open -= 1
      if (open > 0) return
      this.isOver = true
      this.#changed()
      this.emit('close', code, signal)
    }
    for (const pipe of [this.stdout, this.stderr]) {
      if (pipe.destroyed) closed()
      else {
        pipe.once('close', closed)
        pipe.push(null)
        // What nobody wants to read must not keep its end from being seen.
        if (pipe.readableFlowing === null) pipe.resume()
      }
    }
  }
}
