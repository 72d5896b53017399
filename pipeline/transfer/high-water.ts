/** The number below which chunks may exist: raised before any is written past it, and early enough that nobody waits for it. */
import { TidepoolError } from '../base/errors.ts'

/** A store numbers chunks with 32 bits. */
const MAX_CHUNKS = 2 ** 31 - 1
const FEWEST = 64
const MOST = 4096

export class HighWaterMark {
  /** Makes it durable. */
  readonly #raise: (seqHigh: number) => Promise<void>
  #mark: number
  #next: { readonly mark: number; readonly raised: Promise<void> } | undefined

  constructor(mark: number, raise: (seqHigh: number) => Promise<void>) {
    this.#mark = mark
    this.#raise = raise
  }

  /** Resolves once chunk `seq` may be written. Half-way to the mark the next one is asked for: a raise takes as long as a sync of a busy disk. */
  async reach(seq: number): Promise<void> {
    if (seq >= MAX_CHUNKS)
      throw new TidepoolError('stream-too-long', `a write has at most ${MAX_CHUNKS} chunks`, {
        hint: 'Use larger chunks for a stream of this length.',
      })
    while (seq >= this.#mark) await this.#raised(this.#begin())
    if (seq >= this.#mark / 2 && this.#mark < MAX_CHUNKS) this.#begin()
  }

  /** Nothing is under way any more. */
  async settled(): Promise<void> {
    await this.#next?.raised.catch(() => {})
  }

  /** Doubles, so that a long stream asks seldom and a short one leaves little to look through. */
  #begin(): { readonly mark: number; readonly raised: Promise<void> } {
    if (!this.#next) {
      const mark = Math.min(MAX_CHUNKS, this.#mark + Math.min(MOST, Math.max(FEWEST, this.#mark)))
      const raised = this.#raise(mark)
      // It is awaited when it is needed; a failure before that must not count as unhandled.
      raised.catch(() => {})
      this.#next = { mark, raised }
    }
    return this.#next
  }

  async #raised({ mark, raised }: { readonly mark: number; readonly raised: Promise<void> }): Promise<void> {
    await raised
    this.#mark = mark
    this.#next = undefined
  }
}
