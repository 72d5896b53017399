/**
 * Chunk buffers that are used again. A fresh 1 MiB buffer a chunk leaves it to the garbage collector when memory
 * comes back, and it lets dozens pile up first; here there are never more than were out at one time. Their memory can be
 * seen by other threads.
 */
export class BufferPool {
  readonly #bytes: number
  readonly #free: Buffer[] = []

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.from(new SharedArrayBuffer(this.#bytes))
  }

  /** The caller no longer looks at it, and nobody to whom it was lent does. */
  give(buffer: Buffer): void {
    this.#free.push(buffer)
  }
}
