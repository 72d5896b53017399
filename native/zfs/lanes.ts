/** How many commands of one sort run at a time; the others wait in the order in which they came. */

/**
 * Reads apart from changes, so that status is never behind a queue of destroys; `send` and `receive` apart from both and
 * from each other, because a store sets their pace and one may feed the other.
 */
export type LaneName = 'read' | 'change' | 'send' | 'receive'

export interface Place {
  /** A second call does nothing. */
  release(): void
}

export class Lane {
  readonly #width: number
  readonly #waiting = new Set<() => void>()
  #taken = 0

  constructor(width: number) {
    if (!Number.isSafeInteger(width) || width < 1)
      throw new RangeError(`${width} is no number of commands at once`)
    this.#width = width
  }

  get running(): number {
    return this.#taken
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Rejects with the signal's reason where that fires while waiting, and then holds nothing. */
  async enter(signal?: AbortSignal): Promise<Place> {
    signal?.throwIfAborted()
    if (this.#taken < this.#width) this.#taken++
    else await this.#wait(signal)
    let left = false
    return {
      release: () => {
        if (left) return
        left = true
        this.#leave()
      },
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(onTurn)
        reject(signal?.reason)
      }
      const onTurn = (): void => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      this.#waiting.add(onTurn)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  #leave(): void {
    const [next] = this.#waiting
    if (next === undefined) this.#taken--
    else {
      this.#waiting.delete(next)
      next() // the place goes from hand to hand
    }
  }
}
