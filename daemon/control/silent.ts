/**
 * Connections over which nothing is asked: so many at a time, and the oldest makes room. To refuse the newest instead would leave the
 * socket to whoever opens connections and is silent. What was asked is answered within milliseconds where nothing proves that
 * the caller may, so that nobody keeps a connection by asking.
 */
import type { Socket } from 'node:net'

export class Silent {
  readonly #max: number
  /** In the order of their coming. */
  readonly #sockets = new Set<Socket>()
  #looksSoon = false

  constructor(max: number) {
    this.#max = max
  }

  /** A new one. */
  add(socket: Socket): void {
    socket.once('close', () => this.#sockets.delete(socket))
    this.answered(socket)
  }

  /** The head of a request has come. */
  asks(socket: Socket): void {
    this.#sockets.delete(socket)
  }

  answered(socket: Socket): void {
    if (socket.destroyed) return
    this.#sockets.add(socket)
    if (this.#sockets.size <= this.#max || this.#looksSoon) return
    this.#looksSoon = true
    // Hundreds are taken in one turn of the event loop, and only in the next is read what came with them: at once, some would be dropped
    // that have asked already.
    setImmediate(() => setImmediate(() => this.#makeRoom()))
  }

  #makeRoom(): void {
    this.#looksSoon = false
    for (const oldest of this.#sockets) {
      if (this.#sockets.size <= this.#max) return
      this.#sockets.delete(oldest)
      oldest.destroy()
    }
  }
}
