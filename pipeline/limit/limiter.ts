/** One budget of pieces and bytes in flight for all the work on one store. */
import { setMaxListeners } from 'node:events'
import type { Clock } from '../base/clock.ts'
import { Admission, type Piece, type Priority } from './admission.ts'
import { AIMD_DEFAULTS, Aimd, type AimdSettings, type Attempt } from './aimd.ts'
import { Fifo, type Place } from './fifo.ts'

export type { Priority } from './admission.ts'
export type { Attempt } from './aimd.ts'

export interface Permit {
  /** Gives the place and the bytes back; a second call does nothing. */
  release(): void
}

export interface LimiterState {
  readonly limit: number
  readonly inFlight: number
  readonly inFlightBytes: number
  readonly waiting: number
  readonly maxBytes: number
}

export interface Limiter {
  /**
   * Resolves once one more piece of work of `bytes` may be in flight; rejects with the signal's reason when it fires
   * while waiting, and then has taken nothing. A permit that was given is the caller's to give back, also where the
   * signal fires in the same moment. A piece larger than the whole budget goes alone.
   */
  acquire(bytes: number, options: { priority: Priority; signal?: AbortSignal | undefined }): Promise<Permit>

  /**
   * What one attempt against the store took, or that it was overloaded; call it while the attempt's permit is held.
   * Work that takes different times by nature (put and get, each size of chunk) is told apart by `kind`.
   */
  observe(attempt: Attempt): void

  readonly state: LimiterState
}

/** A limit that stays: for a local disk, whose queue is its own. */
export function fixedLimiter({ count, maxBytes }: { count: number; maxBytes: number }): Limiter {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new RangeError(`${count} is no number of pieces in flight`)
  return new SharedLimiter(maxBytes, { limit: count, observe: () => {} })
}

export interface AdaptiveOptions extends Partial<AimdSettings> {
  readonly clock: Clock
  readonly maxBytes: number
}

/** A limit that follows what the store bears (`aimd.ts`). */
export function adaptiveLimiter({ clock, maxBytes, ...settings }: AdaptiveOptions): Limiter {
  const aimd = new Aimd({ ...AIMD_DEFAULTS, ...settings })
  return new SharedLimiter(maxBytes, {
    get limit() {
      return aimd.limit
    },
    observe: (attempt, inFlight) => aimd.observe(attempt, inFlight, clock.monotonicMs()),
  })
}

interface Controller {
  readonly limit: number
  observe(attempt: Attempt, inFlight: number): void
}

interface Waiter extends Piece {
  admit(): void
}

class SharedLimiter implements Limiter {
  readonly #maxBytes: number
  readonly #controller: Controller
  readonly #admission = new Admission()
  readonly #lines: Readonly<Record<Priority, Fifo<Waiter>>> = {
    open: new Fifo(),
    save: new Fifo(),
    mirror: new Fifo(),
    scrub: new Fifo(),
  }
  readonly #first = (priority: Priority): Waiter | undefined => this.#lines[priority].first

  constructor(maxBytes: number, controller: Controller) {
    if (!(maxBytes >= 1)) throw new RangeError(`${maxBytes} is no number of bytes in flight`)
    this.#maxBytes = maxBytes
    this.#controller = controller
  }

  get state(): LimiterState {
    const { open, save, mirror, scrub } = this.#lines
    return {
      limit: this.#controller.limit,
      inFlight: this.#admission.inFlight,
      inFlightBytes: this.#admission.inFlightBytes,
      waiting: open.size + save.size + mirror.size + scrub.size,
      maxBytes: this.#maxBytes,
    }
  }

  acquire(bytes: number, options: { priority: Priority; signal?: AbortSignal | undefined }): Promise<Permit> {
    const { priority, signal } = options
    const line = this.#lines[priority]
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      // One wrong number here would stay in the sum for as long as the process lives.
      if (!(bytes >= 0 && bytes < Number.POSITIVE_INFINITY))
        throw new RangeError(`a piece of ${bytes} bytes cannot be in flight`)
      const onAbort = (): void => {
        line.remove(place)
        reject(signal?.reason)
        // Whoever stood behind it may be small enough.
        this.#admit()
      }
      const place: Place<Waiter> = line.add({
        priority,
        bytes,
        admit: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve(this.#permit({ priority, bytes }))
        },
      })
      this.#admit()
      if (!place.waiting || !signal) return
      // One signal may stand over any number who wait; Node's warning at the eleventh would name no leak.
      setMaxListeners(0, signal)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  observe(attempt: Attempt): void {
    this.#controller.observe(attempt, this.#admission.inFlight)
    this.#admit()
  }

  #permit(piece: Piece): Permit {
    let held = true
    return {
      release: () => {
        if (!held) return
        held = false
        this.#admission.leave(piece)
        this.#admit()
      },
    }
  }

  #admit(): void {
    const budget = { count: this.#controller.limit, bytes: this.#maxBytes }
    for (;;) {
      const next = this.#admission.next(this.#first, budget)
      if (!next) return
      this.#lines[next.priority].shift()
      this.#admission.enter(next, this.#lines.save.size > 0)
      next.admit()
    }
  }
}
