/** The last bytes of what a command says, however much that is. */

export class Tail {
  readonly #maxBytes: number
  #kept: Buffer[] = []
  #bytes = 0
  #dropped = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  push(chunk: Buffer): void {
    this.#kept.push(chunk)
    this.#bytes += chunk.length
    // Put together only at twice the size: each byte is copied at most once more.
    if (this.#bytes < 2 * this.#maxBytes) return
    const all = Buffer.concat(this.#kept)
    this.#kept = [Buffer.from(all.subarray(all.length - this.#maxBytes))]
    this.#bytes = this.#maxBytes
    this.#dropped = true
  }

  get text(): string {
    const all = Buffer.concat(this.#kept)
    const tail = all.subarray(Math.max(0, all.length - this.#maxBytes)).toString('utf8')
    return this.#dropped || all.length > this.#maxBytes ? `...${tail}` : tail
  }
}
