/** One connection of the access process, as the daemon sees it: each question is answered once, whatever becomes of the others. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { errnoOfFailure } from './errno-of.ts'
import type { AccessCallbacks, Shown } from './layer.ts'
import { MAX_IDS, messages, type Reply, type Request, request, toLine } from './protocol.ts'

/** One that asks and does not read the answers is cut off before they fill the memory. */
const MAX_UNREAD_BYTES = 4 * 2 ** 20

export class Conversation {
  readonly #socket: Socket
  readonly #callbacks: AccessCallbacks
  readonly #over = new LinkedAbort()
  /** The opens that somebody waits for, by the other side's number. */
  readonly #opens = new Map<number, LinkedAbort>()
  readonly #expected = new Map<number, (forgot: boolean) => void>()
  #forgets = 0

  constructor(socket: Socket, callbacks: AccessCallbacks) {
    this.#socket = socket
    this.#callbacks = callbacks
    // How it ended, the reading of it tells.
    socket.on('error', () => {})
  }

  /** Until the connection ends. Never rejects: a daemon has no use for a connection's reasons. */
  async run(): Promise<void> {
    try {
      for await (const asked of messages(this.#socket, request)) this.#take(asked)
    } catch {
      // Gone, or not one of ours.
    } finally {
      this.#socket.destroy()
      this.#over.abort(new Error('the access process has left'))
      this.stopExpecting()
    }
  }

  async end(): Promise<void> {
    if (this.#socket.destroyed) return
    const closed = new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve())
    })
    this.#socket.destroy()
    await closed
  }

  /** True once the other side has forgotten; false where it did not say so before it left, or before it was no longer expected. */
  forget(id?: ProjectId): Promise<boolean> {
    return this.#expect((seq) => ({ tell: 'forget', seq, ...(id !== undefined && { id }) }))
  }

  /** True once the other side asks for it whatever it knows; false as for `forget`. */
  hold(id: ProjectId): Promise<boolean> {
    return this.#expect((seq) => ({ tell: 'hold', seq, id }))
  }

  mounted(id: ProjectId): void {
    this.#tell({ tell: 'mounted', id })
  }

  #expect(message: (seq: number) => Reply): Promise<boolean> {
    const seq = this.#forgets++
    return new Promise((resolve) => {
      this.#expected.set(seq, resolve)
      this.#tell(message(seq))
    })
  }

  stopExpecting(): void {
    for (const resolve of this.#expected.values()) resolve(false)
    this.#expected.clear()
  }

  #take(asked: Request): void {
    switch (asked.ask) {
      case 'open':
        void this.#open(asked.seq, asked.id)
        return
      case 'leave':
        this.#opens.get(asked.seq)?.abort(new Error('nobody waits any more'))
        return
      case 'list':
        void this.#list(asked.seq, asked.what)
        return
      case 'used':
        this.#callbacks.used(asked.ids)
        return
      case 'figures':
        this.#callbacks.figures?.(asked)
        return
      case 'forgot':
        this.#expected.get(asked.seq)?.(true)
        this.#expected.delete(asked.seq)
    }
  }

  async #open(seq: number, id: ProjectId): Promise<void> {
    const waiting = new LinkedAbort(this.#over.signal)
    this.#opens.set(seq, waiting)
    try {
      this.#tell({ tell: 'path', seq, path: await this.#callbacks.open(id, waiting.signal) })
    } catch (error) {
      this.#tell({ tell: 'failed', seq, errno: errnoOfFailure(error) })
    } finally {
      waiting.leave()
      this.#opens.delete(seq)
    }
  }

  async #list(seq: number, what: Shown): Promise<void> {
    try {
      let ids: ProjectId[] = []
      for await (const id of this.#callbacks.listed(what)) {
        if (this.#socket.destroyed) return
        ids.push(id)
        if (ids.length < MAX_IDS) continue
        this.#tell({ tell: 'listed', seq, ids, more: true })
        ids = []
        if (this.#socket.writableNeedDrain) await once(this.#socket, 'drain', { signal: this.#over.signal })
      }
      this.#tell({ tell: 'listed', seq, ids, more: false })
    } catch (error) {
      this.#tell({ tell: 'failed', seq, errno: errnoOfFailure(error) })
    }
  }

  #tell(message: Reply): void {
    if (this.#socket.destroyed) return
    this.#socket.write(toLine(message))
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) this.#socket.destroy()
  }
}
