/** Runs zfs and zpool: argument arrays, the C locale, a time limit, an abort, and always a look at how it ended. */
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { Child } from './child.ts'
import { type CommandFacts, commandLine, failed, ZfsError } from './errors.ts'
import { Lane, type LaneName, type Place } from './lanes.ts'
import type { Launcher } from './launcher.ts'
import { COMMAND_DEFAULTS, type CommandSettings } from './settings.ts'

export type Program = 'zfs' | 'zpool'

export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  /** Instead of the lane's own limit. */
  readonly limitMs?: number
  /** A file: while one command has its lock, others that name it wait, also those of other processes. The lock ends with the command. */
  readonly alone?: string | undefined
}

interface StartOptions {
  readonly stdin?: boolean
  /** What it prints is kept whole, and so may come through another process. */
  readonly isShort?: boolean
}

export interface StuckCommand {
  readonly pid: number
  readonly command: string
  readonly args: readonly string[]
  /** When that was found, by the wall clock. */
  readonly sinceMs: number
}

/** A command that has started; `stop` must be called, also after `done`. */
export interface Running {
  readonly child: Child
  readonly command: string
  facts(): CommandFacts
  /** Resolves once it has ended with 0; rejects with a `ZfsError`, or with the signal's reason where that ended it. */
  readonly done: Promise<void>
  /** Ends it where it has not, and gives its place back. Rejects with `zfs-stuck` where it cannot be ended. */
  stop(): Promise<void>
}

/** A command that has ended, for whoever looks on. */
export interface Ended {
  readonly command: string
  readonly lane: LaneName
  /** For a place in its lane. */
  readonly waitedMs: number
  readonly tookMs: number
  readonly error?: unknown
}

const MAX_STDOUT_BYTES = 16 * 1024 * 1024

export interface CommandHelpers {
  /** Starts what is short; whoever made it ends it. */
  readonly launcher?: Launcher | undefined
  readonly kill?: (pid: number, signal: NodeJS.Signals) => void
}

export class Commands {
  readonly settings: CommandSettings
  readonly #lanes: Readonly<Record<LaneName, Lane>>
  readonly #stuck = new Map<Child, StuckCommand>()
  #adopted: readonly { readonly command: StuckCommand; readonly isOver: () => boolean }[] = []
  readonly #kill: CommandHelpers['kill']
  readonly #launcher: Launcher | undefined
  readonly #lookers = new Set<(ended: Ended) => void>()

  constructor(settings: Partial<CommandSettings> = {}, { kill, launcher }: CommandHelpers = {}) {
    this.settings = { ...COMMAND_DEFAULTS, ...settings }
    const { read, change, send, receive } = this.settings.lanes
    this.#lanes = {
      read: new Lane(read),
      change: new Lane(change),
      send: new Lane(send),
      receive: new Lane(receive),
    }
    this.#kill = kill
    this.#launcher = launcher
  }

  /** Commands that could not be ended, until they do end: their datasets are not to be touched. */
  get stuck(): readonly StuckCommand[] {
    if (this.#adopted.length > 0) this.#adopted = this.#adopted.filter(({ isOver }) => !isOver())
    return [...this.#stuck.values(), ...this.#adopted.map(({ command }) => command)]
  }

  /** One that can't be ended and was begun by a process that is gone: it counts as ours until it is over. */
  adopt(command: StuckCommand, isOver: () => boolean): void {
    this.#adopted = [...this.#adopted, { command, isOver }]
  }

  /** A signal for a command that is no child of ours, and for what it started. */
  tell(pid: number, signal: NodeJS.Signals): void {
    for (const whom of [-pid, pid])
      try {
        if (this.#kill) this.#kill(pid, signal)
        else process.kill(whom, signal)
        return
      } catch (error) {
        // It leads no group, has ended by itself, or is out of our reach: then it is found out that it does not end.
        if (errnoOf(error) !== 'ESRCH' && errnoOf(error) !== 'EPERM') throw error
      }
  }

  /** Hears of each command when it has ended, well or not, until what is returned is called. Must not throw. */
  lookOn(looker: (ended: Ended) => void): () => void {
    this.#lookers.add(looker)
    return () => void this.#lookers.delete(looker)
  }

  get load(): Readonly<Record<LaneName, { running: number; waiting: number }>> {
    const of = ({ running, waiting }: Lane) => ({ running, waiting })
    const { read, change, send, receive } = this.#lanes
    return { read: of(read), change: of(change), send: of(send), receive: of(receive) }
  }

  /** What it printed to stdout, once it has ended with 0. */
  async read(program: Program, args: readonly string[], options: RunOptions = {}): Promise<string> {
    return this.#toEnd('read', program, args, options)
  }

  /** The same for what changes a pool: fewer at a time, and with more patience. */
  async change(program: Program, args: readonly string[], options: RunOptions = {}): Promise<string> {
    return this.#toEnd('change', program, args, options)
  }

  /** The lines of a read as they come, however many; the last one is yielded only after it has ended with 0. */
  async *lines(program: Program, args: readonly string[], options: RunOptions = {}): AsyncGenerator<string> {
    const running = await this.start('read', program, args, {
      limitMs: this.settings.readLimitMs,
      ...options,
    })
    try {
      let rest = ''
      running.child.stdout.setEncoding('utf8')
      const texts: AsyncIterator<string> = running.child.stdout[Symbol.asyncIterator]()
      for (;;) {
        // A command that we ended has lost its pipe first: why it was ended is the reason, not the pipe.
        const text = await texts
          .next()
          .catch((error: unknown) => running.done.then(() => Promise.reject(error)))
        if (text.done) break
        const lines = (rest + text.value).split('\n')
        rest = lines.pop() ?? ''
        yield* lines
      }
      await running.done
      if (rest !== '') yield rest
    } finally {
      await running.stop()
    }
  }

  /** Starts a command once its lane has a place for it. Without `limitMs` it may take as long as it likes. */
  async start(
    lane: LaneName,
    program: Program,
    args: readonly string[],
    { signal, limitMs, alone, stdin = false, isShort = false }: RunOptions & StartOptions = {},
  ): Promise<Running> {
    const askedMs = performance.now()
    const place = await this.#lanes[lane].enter(signal)
    const waitedMs = performance.now() - askedMs
    try {
      signal?.throwIfAborted()
      return this.#started(place, program, args, { signal, limitMs, alone, stdin, isShort, lane, waitedMs })
    } catch (error) {
      place.release()
      throw error
    }
  }

  #started(
    place: Place,
    program: Program,
    args: readonly string[],
    options: {
      signal: AbortSignal | undefined
      limitMs: number | undefined
      alone: string | undefined
      stdin: boolean
      isShort: boolean
      lane: LaneName
      waitedMs: number
    },
  ): Running {
    const { signal, limitMs, alone, stdin, isShort, lane, waitedMs } = options
    const startedMs = performance.now()
    const streams = lane === 'send'
    const { termGraceMs, killGraceMs } = this.settings
    // In place of `flock`, so that it is this process that is ended or waited for.
    const line = [
      ...(alone === undefined ? [] : ['flock', '--no-fork', alone]),
      this.settings[program],
      ...args,
    ]
    const [executable = '', ...rest] = line
    const kill = this.#kill ? { kill: this.#kill } : {}
    const launcher = isShort ? this.#launcher : undefined
    const child = new Child({
      program: executable,
      args: rest,
      stdin,
      streams,
      termGraceMs,
      killGraceMs,
      ...kill,
      ...(launcher && { spawn: (...what) => launcher.spawn(...what) }),
    })
    const command = commandLine(program, args)
    const facts = (): CommandFacts => ({ program, args, stderr: child.stderr.text, pid: child.pid })
    // What ended it, where that was us.
    let reason: { error: unknown } | undefined
    let deaf: (error: unknown) => void = () => {}
    const unkillable = new Promise<never>((_, reject) => {
      deaf = reject
    })
    unkillable.catch(() => {}) // seen through `done` and `stop`

    const end = async (why: unknown): Promise<void> => {
      reason ??= { error: why }
      if (await child.stop()) return
      deaf(this.#giveUp(child, command, place, facts()))
    }
    const onAbort = (): void => void end(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const late = (): void =>
      void end(
        new ZfsError('zfs-timeout', `${command} has not ended within ${(limitMs ?? 0) / 1000} s`, facts()),
      )
    const timer = limitMs === undefined ? undefined : setTimeout(late, limitMs)

    const tell = (failure?: { error: unknown }): void => {
      const tookMs = performance.now() - startedMs
      for (const looker of this.#lookers) looker({ command, lane, waitedMs, tookMs, ...failure })
    }
    const finish = async (): Promise<void> => {
      try {
        const { code, signal: by } = await Promise.race([child.ended, unkillable])
        if (reason) throw reason.error
        if (code !== 0) throw failed({ ...facts(), exit: code, signal: by })
        tell()
      } catch (cause) {
        const isMissing = errnoOf(cause) === 'ENOENT' && !(cause instanceof TidepoolError)
        const error = isMissing
          ? new ZfsError('zfs-missing', `${command}: there is no ${executable}`, facts(), cause)
          : cause
        tell({ error })
        throw error
      } finally {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        place.release()
      }
    }
    const done = finish()
    done.catch(() => {}) // a caller that leaves early does not look at it
    return {
      child,
      command,
      facts,
      done,
      stop: async () => {
        if (!child.over) await end(new TidepoolError('stopped', `${command} was no longer wanted`))
        await Promise.race([child.ended.catch(() => {}), unkillable])
        await done.catch(() => {}) // its place is free when this returns
      },
    }
  }

  /** Its place is free for others; what it was doing is not known to be over. */
  #giveUp(child: Child, command: string, place: Place, facts: CommandFacts): ZfsError {
    this.#stuck.set(child, { pid: child.pid, command, args: facts.args, sinceMs: Date.now() })
    const heal = (): void => void this.#stuck.delete(child)
    child.ended.then(heal, heal)
    const inState = child.state ? ` (its state is ${child.state})` : ''
    child.abandon()
    place.release()
    return new ZfsError('zfs-stuck', `${command} cannot be ended${inState}: process ${child.pid}`, facts)
  }

  async #toEnd(
    lane: 'read' | 'change',
    program: Program,
    args: readonly string[],
    options: RunOptions,
  ): Promise<string> {
    const limitMs = lane === 'read' ? this.settings.readLimitMs : this.settings.changeLimitMs
    const running = await this.start(lane, program, args, { limitMs, ...options, isShort: true })
    try {
      const parts: Buffer[] = []
      let bytes = 0
      running.child.stdout.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes <= MAX_STDOUT_BYTES) parts.push(part)
      })
      await running.done
      if (bytes > MAX_STDOUT_BYTES)
        throw new ZfsError('zfs-output', `${running.command} printed ${bytes} bytes, more than we keep`, {
          program,
          args,
        })
      return Buffer.concat(parts).toString('utf8')
    } finally {
      await running.stop()
    }
  }
}
