/**
 * The daemon's side of the access process: a Unix socket that only root may use. Answers what it is asked, and tells what is to be
 * forgotten.
 */
import { once } from 'node:events'
import { chmod, lstat, mkdir, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import type { Clock } from '../../pipeline/base/clock.ts'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { Conversation } from './conversation.ts'
import type { AccessCallbacks } from './layer.ts'
import { MEMORY_MS } from './mounted.ts'

const ABSENT_MS = 10_000

export class AccessServer {
  readonly #server: Server
  readonly #clock: Clock
  readonly #talks = new Set<Conversation>()
  #ended = false
  /** When an access process was last seen to be there; at the start one of an earlier daemon may be. */
  #seenMs: number

  private constructor(callbacks: AccessCallbacks, clock: Clock) {
    this.#clock = clock
    this.#seenMs = clock.monotonicMs()
    this.#server = createServer((socket) => this.#talk(socket, callbacks))
  }

  /** Rejects with `socket-taken` where something else lies there, or another process listens. */
  static async listen(path: string, callbacks: AccessCallbacks, clock: Clock): Promise<AccessServer> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await removeDeadSocket(path)
    const made = new AccessServer(callbacks, clock)
    made.#server.listen(path)
    await once(made.#server, 'listening').catch((error: Error) => {
      throw taken(path, error.message)
    })
    // A connection that could not be taken: the access process comes again.
    made.#server.on('error', () => {})
    await chmod(path, 0o600)
    return made
  }

  /** Whoever waits is answered by the next daemon: it is asked again by the access process. */
  async close(): Promise<void> {
    this.#ended = true
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    await Promise.all([...this.#talks].map((talk) => talk.end()))
    await closed
  }

  /** Resolves once no access process answers from what it knew before; where one does not say so, its memory runs out by itself. */
  forget(id?: ProjectId): Promise<void> {
    return this.#tellAll((talk) => talk.forget(id))
  }

  /** Resolves once every access process asks for it, whatever is mounted; one that does not say so is not waited for long. */
  hold(id: ProjectId): Promise<void> {
    return this.#tellAll((talk) => talk.hold(id))
  }

  mounted(id: ProjectId): void {
    for (const talk of this.#talks) talk.mounted(id)
  }

  async #tellAll(tell: (talk: Conversation) => Promise<boolean>): Promise<void> {
    // Nobody remembers anything where nobody is: one that lives is connected, or tries it many times in this while.
    if (this.#talks.size === 0 && this.#clock.monotonicMs() - this.#seenMs > ABSENT_MS) return
    const told = [...this.#talks].map(tell)
    const enough = new AbortController()
    const all = Promise.all(told).then((done) => {
      if (done.length > 0 && done.every(Boolean)) enough.abort()
    })
    await this.#clock.sleep(MEMORY_MS, enough.signal).catch(() => {})
    for (const talk of this.#talks) talk.stopExpecting()
    await all
  }

  #talk(socket: Socket, callbacks: AccessCallbacks): void {
    if (this.#ended) {
      socket.destroy()
      return
    }
    const talk = new Conversation(socket, callbacks)
    this.#talks.add(talk)
    void talk.run().finally(() => {
      this.#talks.delete(talk)
      this.#seenMs = this.#clock.monotonicMs()
      if (this.#talks.size === 0) callbacks.figures?.(undefined)
    })
  }
}

/** A daemon that was killed leaves its socket behind. */
async function removeDeadSocket(path: string): Promise<void> {
  try {
    if (!(await lstat(path)).isSocket()) throw taken(path, 'it is there and no socket')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  if (await answers(path)) throw taken(path, 'another process listens on it')
  await rm(path, { force: true })
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

function taken(path: string, why: string): TidepoolError {
  return new TidepoolError('socket-taken', `the access socket ${path} cannot be used: ${why}`, {
    hint: 'End the other daemon, or choose another run directory.',
    facts: { path },
  })
}
