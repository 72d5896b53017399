/** One open, and all who wait for it. */
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { Fifo, Place } from '../../pipeline/limit/fifo.ts'

type Answer = { readonly path: string } | { readonly error: unknown }

export class Flight {
  readonly id: ProjectId
  waiting = 0
  begun = false
  /** When it began, or else when it was first asked for. */
  sinceMs: number
  place: { readonly line: Fifo<Flight>; readonly at: Place<Flight> } | undefined
  /** Why it was told to end, where it was. */
  endedBy: TidepoolError | undefined
  readonly #clock: Clock
  readonly #work = new LinkedAbort()
  readonly #answered = new LinkedAbort()
  #answer: Answer | undefined

  constructor(id: ProjectId, clock: Clock) {
    this.id = id
    this.#clock = clock
    this.sinceMs = clock.monotonicMs()
  }

  /** Nobody waits for it, and it has not begun. */
  get abandoned(): boolean {
    return !this.begun && this.waiting === 0
  }

  enter(line: Fifo<Flight>): void {
    this.place = { line, at: line.add(this) }
  }

  leaveLine(): void {
    this.place?.line.remove(this.place.at)
    this.place = undefined
  }

  async wait(limitMs: number, signal?: AbortSignal): Promise<string> {
    this.waiting++
    const woken = new LinkedAbort(this.#answered.signal)
    const onAbort = (): void => woken.abort(undefined)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await this.#clock.sleep(limitMs, woken.signal).catch(() => {})
      signal?.throwIfAborted()
      if (!this.#answer) throw stillOpening(this.id, limitMs)
      if ('error' in this.#answer) throw this.#answer.error
      return this.#answer.path
    } finally {
      signal?.removeEventListener('abort', onAbort)
      woken.leave()
      this.waiting--
    }
  }

  run(open: (signal: AbortSignal) => Promise<string>): Promise<string> {
    this.begun = true
    this.sinceMs = this.#clock.monotonicMs()
    return open(this.#work.signal)
  }

  resolve(path: string): void {
    this.#settle({ path })
  }

  reject(error: unknown): void {
    this.#settle({ error })
  }

  /** Its work is told to stop, and whoever waits does not wait for that. */
  end(error: TidepoolError): void {
    this.endedBy = error
    this.#work.abort(error)
    this.reject(error)
  }

  /** The first answer stands. */
  #settle(answer: Answer): void {
    this.#answer ??= answer
    this.#answered.abort(undefined)
  }
}

function stillOpening(id: ProjectId, limitMs: number): TidepoolError {
  return new TidepoolError(
    'open-timeout',
    `project ${id} is not open after ${limitMs / 1000} s: that goes on`,
    {
      temporary: true,
      hint: `Try again: it waits for the same open. \`tidepool status ${id}\` shows how far it is.`,
      facts: { project: id, limitMs },
    },
  )
}
