/** Ending what one has started, without ending what one was started by. */
import { setMaxListeners } from 'node:events'

/**
 * A controller that follows an outer signal until it is left. Made by hand and not with `AbortSignal.any`, whose
 * dependants an outer signal that lives as long as a daemon would gather.
 */
export class LinkedAbort {
  readonly #own = new AbortController()
  readonly #outer: AbortSignal | undefined
  readonly #follow = (): void => this.#own.abort(this.#outer?.reason)

  constructor(outer?: AbortSignal) {
    // Each piece of work in flight listens once; a warning at the eleventh would name no leak.
    setMaxListeners(0, this.#own.signal)
    this.#outer = outer
    if (outer?.aborted) this.#follow()
    else outer?.addEventListener('abort', this.#follow, { once: true })
  }

  get signal(): AbortSignal {
    return this.#own.signal
  }

  abort(reason: unknown): void {
    this.#own.abort(reason)
  }

  /** Follows the outer signal no longer. */
  leave(): void {
    this.#outer?.removeEventListener('abort', this.#follow)
  }
}
