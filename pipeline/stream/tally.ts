/** Adds up sizes exactly, however many: a bigint for each would be garbage for each record. */
const FLUSH_AT = 2 ** 52

export class Tally {
  #flushed = 0n
  #recent = 0

  /** `size` is a whole number of at most 2^52. */
  add(size: number): void {
    this.#recent += size
    if (this.#recent < FLUSH_AT) return
    this.#flushed += BigInt(this.#recent)
    this.#recent = 0
  }

  get total(): bigint {
    return this.#flushed + BigInt(this.#recent)
  }
}
