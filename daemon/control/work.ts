/** The carrying-out of one request, and all who wait for its answer: several, where they asked with the same key. */
import type { Operation } from '../operations/operation.ts'

export class Work {
  /** Of a verb that may take long. */
  readonly operation: Operation | undefined
  readonly #answer: Promise<object>
  readonly #cancel: (reason: unknown) => void
  #waiting = 0
  #detached = false
  #cancelled = false

  constructor(answer: Promise<object>, cancel: (reason: unknown) => void, operation?: Operation | undefined) {
    this.operation = operation
    this.#answer = answer
    this.#cancel = cancel
    // Whoever waits hears of it; where nobody waits the operation keeps it.
    answer.catch(() => {})
  }

  get answer(): Promise<object> {
    return this.#answer
  }

  /** It was told to end, because nobody wanted it any more: no place to join. */
  get cancelled(): boolean {
    return this.#cancelled
  }

  /** From now on it goes on whoever leaves. */
  detach(): void {
    this.#detached = true
  }

  /** Where the signal fires, and nobody else waits, it is told to end, and its last word is the answer. */
  async wait(signal: AbortSignal): Promise<object> {
    this.#waiting++
    let stop = (): void => {}
    const left = new Promise<'left'>((resolve) => {
      stop = () => resolve('left')
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
    try {
      const first = await Promise.race([this.#answer, left])
      if (first !== 'left') return first
    } finally {
      signal.removeEventListener('abort', stop)
      this.#waiting--
    }
    if (this.#waiting > 0 || this.#detached) throw signal.reason
    this.#cancelled = true
    this.#cancel(signal.reason)
    return this.#answer
  }
}
