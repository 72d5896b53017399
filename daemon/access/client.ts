/**
 * The access process's side of the daemon: comes back for ever, and asks the next daemon whatever the last one did not answer. So
 * a daemon that is restarted costs its callers time and nothing else.
 */
import { connect, type Socket } from 'node:net'
import { ErrnoError } from '../../native/fuse/errno.ts'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { Figures } from './figures.ts'
import type { Shown } from './layer.ts'
import { MAX_IDS, messages, type Reply, type Request, reply, toLine } from './protocol.ts'

export interface ClientOptions {
  readonly socket: string
  readonly clock: Clock
  /** How long a caller waits at the most, however many daemons come and go meanwhile. @default 115 s, a little above the daemon's own limit */
  readonly waitLimitMs?: number
  /** Callers at a time: each holds a thread. @default 576, above the daemon's own limit */
  readonly maxWaiting?: number
  /** Between two tries to connect. @default 100 ms */
  readonly pauseMs?: number
  /** Called before the daemon is told that it was done. */
  readonly forget: () => void
  /** Also before the daemon is told; ends by `release`, of all that are held where the daemon has gone. */
  readonly hold?: (id: ProjectId) => void
  readonly release?: (id?: ProjectId) => void
  /** Something was mounted this moment. */
  readonly mounted?: () => void
  readonly connected?: () => void
  /** What is told of this process, with so many who wait. */
  readonly figures?: (waiting: number) => Figures
  readonly connect?: (path: string) => Socket
}

interface Asked {
  readonly request: Request
  readonly answer: (reply: Reply) => void
}

export class DaemonClient {
  readonly #options: Required<Omit<ClientOptions, 'figures'>> & Pick<ClientOptions, 'figures'>
  readonly #asked = new Map<number, Asked>()
  readonly #stop = new LinkedAbort()
  #seq = 0
  #waiting = 0
  #socket: Socket | undefined
  #told = ''

  constructor(options: ClientOptions) {
    this.#options = {
      waitLimitMs: 115_000,
      maxWaiting: 576,
      pauseMs: 100,
      connected: () => {},
      hold: () => {},
      release: () => {},
      mounted: () => {},
      connect: (path) => connect(path),
      ...options,
    }
  }

  /** Where the project is. Rejects with an `ErrnoError`: the daemon's, ETIMEDOUT at the deadline, EAGAIN where too many wait or it is stopped. */
  async open(id: ProjectId): Promise<string> {
    const { maxWaiting, waitLimitMs, clock } = this.#options
    if (this.#waiting >= maxWaiting) throw new ErrnoError('EAGAIN', `${maxWaiting} callers wait already`)
    const answered = new LinkedAbort(this.#stop.signal)
    let answer: Reply | undefined
    const seq = this.#ask({ ask: 'open', seq: this.#seq, id }, (reply) => {
      answer = reply
      answered.abort(undefined)
    })
    this.#waiting++
    try {
      await clock.sleep(waitLimitMs, answered.signal).catch(() => {})
    } finally {
      this.#waiting--
      answered.leave()
      this.#asked.delete(seq)
    }
    if (answer?.tell === 'path') return answer.path
    if (answer?.tell === 'failed') throw new ErrnoError(answer.errno)
    this.#send({ ask: 'leave', seq })
    throw new ErrnoError(this.#stop.signal.aborted ? 'EAGAIN' : 'ETIMEDOUT')
  }

  /** What a listing shows; undefined where no daemon says so in time. */
  async list(what: Shown, limitMs: number): Promise<ProjectId[] | undefined> {
    const done = new LinkedAbort(this.#stop.signal)
    // A set: a daemon that is replaced half-way has its answer given again from the start.
    const ids = new Set<ProjectId>()
    let whole = false
    const seq = this.#ask({ ask: 'list', seq: this.#seq, what }, (reply) => {
      if (reply.tell === 'listed') for (const id of reply.ids) ids.add(id)
      if (reply.tell === 'listed' && reply.more) return
      whole = reply.tell === 'listed'
      done.abort(undefined)
    })
    await this.#options.clock.sleep(limitMs, done.signal).catch(() => {})
    done.leave()
    this.#asked.delete(seq)
    return whole ? [...ids] : undefined
  }

  /** False where no daemon is there to be told, or it does not listen. */
  used(ids: readonly ProjectId[]): boolean {
    if (!this.#socket || this.#socket.writableNeedDrain) return false
    for (let from = 0; from < ids.length; from += MAX_IDS)
      this.#send({ ask: 'used', ids: ids.slice(from, from + MAX_IDS) })
    return true
  }

  /** Where they have changed since they were told. */
  tellFigures(): void {
    const figures = this.#options.figures?.(this.#waiting)
    if (!figures || !this.#socket || this.#socket.writableNeedDrain) return
    const text = JSON.stringify(figures)
    if (text === this.#told) return
    this.#told = text
    this.#send({ ask: 'figures', ...figures })
  }

  /** Until the signal fires; whoever waits then gets EAGAIN. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, pauseMs } = this.#options
    while (!signal.aborted) {
      await this.#talk(signal)
      await clock.sleep(pauseMs, signal).catch(() => {})
    }
    this.#stop.abort(new Error('the access process stops'))
  }

  #ask(request: Request, answer: (reply: Reply) => void): number {
    const seq = this.#seq++
    this.#asked.set(seq, { request, answer })
    this.#send(request)
    return seq
  }

  #send(request: Request): void {
    if (this.#socket?.writable) this.#socket.write(toLine(request))
  }

  /** One connection, from its beginning to its end, whatever that is. */
  async #talk(signal: AbortSignal): Promise<void> {
    const { socket: path } = this.#options
    const socket = this.#options.connect(path)
    const stop = (): void => void socket.destroy()
    signal.addEventListener('abort', stop, { once: true })
    // How it ended, the reading of it tells.
    socket.on('error', () => {})
    socket.once('connect', () => {
      this.#socket = socket
      for (const { request } of this.#asked.values()) this.#send(request)
      this.#told = ''
      this.tellFigures()
      this.#options.connected()
    })
    try {
      for await (const told of messages(socket, reply)) this.#take(told)
    } catch {
      // Refused, gone, or nonsense: the next one may be better.
    } finally {
      signal.removeEventListener('abort', stop)
      socket.destroy()
      if (this.#socket === socket) this.#socket = undefined
      this.#options.release()
    }
  }

  #take(told: Reply): void {
    if (told.tell === 'hold') {
      this.#options.hold(told.id)
      this.#send({ ask: 'forgot', seq: told.seq })
    } else if (told.tell === 'forget') {
      if (told.id !== undefined) this.#options.release(told.id)
      this.#options.forget()
      this.#send({ ask: 'forgot', seq: told.seq })
    } else if (told.tell === 'mounted') this.#options.mounted()
    else this.#asked.get(told.seq)?.answer(told)
  }
}
