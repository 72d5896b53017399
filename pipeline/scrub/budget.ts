/**
 * The brake: what one run may take from where people could still have it back to where nobody can. It is measured
 * whole before anything goes. What never was committed, or was decided by an earlier run, does not count: of that
 * nothing can be lost any more.
 */
export class Budget {
  readonly #share: number
  #liveBytes = 0n
  #wantedBytes = 0n
  #takenBytes = 0n
  #closed = false

  constructor(share: number) {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`${share} is no share of the live bytes`)
    this.#share = share
  }

  get liveBytes(): bigint {
    return this.#liveBytes
  }

  get wantedBytes(): bigint {
    return this.#wantedBytes
  }

  get allowedBytes(): bigint {
    // In millionths: a share is a number, sizes are not.
    return (this.#liveBytes * BigInt(Math.round(this.#share * 1e6))) / 1_000_000n
  }

  get isExceeded(): boolean {
    return !this.#isOff && this.#wantedBytes > this.allowedBytes
  }

  /** A share of 1 is no brake: superseded writes alone may be more than all that is alive. */
  get #isOff(): boolean {
    return this.#share === 1
  }

  addLive(bytes: bigint): void {
    this.#liveBytes += bytes
  }

  want(bytes: bigint): void {
    this.#wantedBytes += bytes
  }

  /** What was measured is not the whole: nothing may be taken any more. */
  close(): void {
    this.#closed = true
  }

  /** False where it would be more than allowed, which more than was measured can be: it waits for the next run. */
  take(bytes: bigint): boolean {
    if (this.#closed) return false
    if (!this.#isOff && this.#takenBytes + bytes > this.allowedBytes) return false
    this.#takenBytes += bytes
    return true
  }
}
