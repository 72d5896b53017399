/** Fills chunk buffers from whatever pieces a source yields. */

/** A source is opened with a signal that ends it, so that one which waits for bytes for ever can be left. */
export type Source = (signal: AbortSignal) => AsyncIterable<Uint8Array>

/**
 * Pulls from an iterator exactly when asked: `fill` reads until the buffer is full or the source has ended, and keeps
 * what is left of a piece for the next call. Pulling is the caller's act, so whoever holds a permit first decides.
 */
export class ChunkReader {
  readonly #pieces: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array()
  #ended = false

  constructor(pieces: AsyncIterator<Uint8Array>) {
    this.#pieces = pieces
  }

  /** The number of bytes that are now in the buffer; less than its length only at the end of the source. */
  async fill(buffer: Uint8Array): Promise<number> {
    let filled = 0
    while (filled < buffer.length) {
      if (this.#rest.length === 0) {
        if (this.#ended) break
        const next = await this.#pieces.next()
        if (next.done) this.#ended = true
        else this.#rest = next.value
        continue
      }
      const part = this.#rest.subarray(0, buffer.length - filled)
      buffer.set(part, filled)
      this.#rest = this.#rest.subarray(part.length)
      filled += part.length
    }
    return filled
  }
}
