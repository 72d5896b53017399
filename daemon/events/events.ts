/**
 * What happened last on this host, for any number of listeners. Nobody has a queue of his own: all read the same bounded
 * buffer, each from where he is, so a listener that is slow or stands still costs nothing and is told what he has missed.
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../pipeline/base/clock.ts'
import type { EventKind, HostEvent } from './event.ts'

export interface EventsOptions {
  readonly clock: Pick<Clock, 'wallMs'>
  /** How many are kept for whoever comes back. @default 4096 */
  readonly kept?: number
}

const KEPT = 4096

export class Events {
  readonly #clock: EventsOptions['clock']
  readonly #kept: number
  /** Tells this start of the daemon from every other: its numbers begin again. */
  readonly #start = randomBytes(6).toString('hex')
  /** The oldest first; the last one's number is `#last`. */
  #buffer: HostEvent[] = []
  #last = 0
  readonly #waiting = new Set<() => void>()
  #ended = false

  constructor({ clock, kept = KEPT }: EventsOptions) {
    this.#clock = clock
    this.#kept = kept
  }

  tell(kind: EventKind, project: string | null, facts: HostEvent['facts'] = {}): void {
    if (this.#ended) return
    this.#last++
    const id = this.#id(this.#last)
    this.#buffer.push({ id, atMs: this.#clock.wallMs(), kind, project, facts })
    // Not one by one: moving the rest would cost as much as all of it, each time.
    if (this.#buffer.length >= 2 * this.#kept) this.#buffer = this.#buffer.slice(-this.#kept)
    this.#wake()
  }

  /** Those that are kept, the oldest first. */
  get recent(): readonly HostEvent[] {
    return this.#buffer.slice(-this.#kept)
  }

  /** Whoever listens comes to the end of what there is, and then to his own. */
  end(): void {
    this.#ended = true
    this.#wake()
  }

  /**
   * What happens from now on; with the id of an event, what came after it. Where that can't be told any more, a `gap` says so
   * first and all that is kept follows. Ends with `end`, or when the signal fires.
   */
  async *follow(after: string | undefined, signal: AbortSignal): AsyncGenerator<HostEvent> {
    const gone = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    let wake = (): void => {}
    let seen = this.#last
    if (after !== undefined) {
      const asked = this.#numberOf(after)
      if (asked === undefined)
        yield this.#gap(after, 'the daemon was started again, or this id is none of its')
      seen = asked ?? this.#forgotten
    }
    while (!signal.aborted) {
      this.#waiting.delete(wake)
      const woken = new Promise<void>((resolve) => {
        wake = resolve
        this.#waiting.add(wake)
      })
      while (seen < this.#last && !signal.aborted) {
        const lost = this.#forgotten - seen
        if (lost > 0) {
          yield this.#gap(this.#id(seen), `${lost} events are no longer kept`)
          seen += lost
          // While the listener had this, more may have gone.
          continue
        }
        seen++
        yield this.#buffer[this.#buffer.length - 1 - (this.#last - seen)] as HostEvent
      }
      if (this.#ended) break
      await Promise.race([woken, gone])
    }
    this.#waiting.delete(wake)
  }

  /** The number of the newest event that is no longer kept. */
  get #forgotten(): number {
    return this.#last - this.#buffer.length
  }

  #id(number: number): string {
    return `${this.#start}-${number}`
  }

  /** Undefined where it is none of this start. */
  #numberOf(id: string): number | undefined {
    const [, number] = new RegExp(`^${this.#start}-([0-9]{1,15})$`).exec(id) ?? []
    const asked = number === undefined ? undefined : Number(number)
    return asked !== undefined && asked <= this.#last ? asked : undefined
  }

  /** Has the id that it stands for, so that whoever comes back after it goes on there. */
  #gap(id: string, why: string): HostEvent {
    return { id, atMs: this.#clock.wallMs(), kind: 'gap', project: null, facts: { why } }
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }
}
