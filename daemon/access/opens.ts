/**
 * Opens what is touched: once for all who wait for it, so many at a time, those that somebody asked for by name before those
 * that a path walk woke. Nobody waits without a limit, and what failed a moment ago is not tried again by every touch.
 */
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { Fifo } from '../../pipeline/limit/fifo.ts'
import { type Failure, Failures } from './failures.ts'
import { Flight } from './flight.ts'

export interface OpensOptions {
  readonly clock: Clock
  /** Resolves with where the project is. */
  readonly open: (id: ProjectId, signal: AbortSignal) => Promise<string>
  /** Opens under way at a time; the store's own budget bounds what they move. @default 4 */
  readonly atOnce?: number
  /** Callers that a path walk has brought, over all projects: each is a thread of the access process. @default 512 */
  readonly maxWaiting?: number
  /**
   * How long such a caller waits; the open goes on without it. Nothing can kill a process that waits in FUSE, and at 120 s
   * the kernel calls it hung. @default 110 s
   */
  readonly waitLimitMs?: number
  /** How long an open may take. @default 1 h */
  readonly openLimitMs?: number
}

export interface OpenOptions {
  /** Asked for by name: before all others, also where it failed a moment ago, and for as long as an open may take. */
  readonly explicit?: boolean
  readonly signal?: AbortSignal
}

export interface OpenState {
  readonly kind: 'queued' | 'opening' | 'failed'
  /** How long it has been so; for a failed one, for how long a touch does not try again. */
  readonly ms: number
  readonly waiting: number
  readonly error?: unknown
}

export class Opens {
  readonly #options: Required<OpensOptions>
  readonly #failures: Failures
  readonly #flights = new Map<ProjectId, Flight>()
  readonly #explicit = new Fifo<Flight>()
  readonly #touched = new Fifo<Flight>()
  readonly #running = new Set<Promise<void>>()
  #waiting = 0
  #stopped = false

  constructor(options: OpensOptions) {
    this.#options = { atOnce: 4, maxWaiting: 512, waitLimitMs: 110_000, openLimitMs: 3_600_000, ...options }
    this.#failures = new Failures(options.clock)
  }

  /**
   * Resolves with where it is. Rejects with why it could not be opened, with `open-timeout` where that takes longer than this caller
   * may wait, with `opens-full` or `opens-stopped`, or with the signal's reason.
   */
  async open(id: ProjectId, { explicit = false, signal }: OpenOptions = {}): Promise<string> {
    signal?.throwIfAborted()
    if (this.#stopped) throw stopped()
    const { maxWaiting, waitLimitMs, openLimitMs } = this.#options
    const failed = this.#failures.inForce(id)
    if (explicit) this.#failures.forget(id)
    else if (failed) throw failed.error
    if (!explicit && this.#waiting >= maxWaiting) throw full(maxWaiting)
    const flight = this.#flights.get(id) ?? this.#flight(id)
    this.#queue(flight, explicit)
    if (!explicit) this.#waiting++
    try {
      return await flight.wait(explicit ? openLimitMs : waitLimitMs, signal)
    } finally {
      if (!explicit) this.#waiting--
      // What has begun goes on: others may want it, and what it has fetched is not fetched again.
      if (flight.abandoned) this.#drop(flight)
    }
  }

  /** The next touch tries again, whatever failed before. */
  forget(id: ProjectId): void {
    this.#failures.forget(id)
  }

  /** The same for all: the reason was this host's, and is over. */
  forgetAll(): void {
    this.#failures.clear()
  }

  /** Undefined where nothing is to be told: it was never touched, or is open. */
  state(id: ProjectId): OpenState | undefined {
    const nowMs = this.#options.clock.monotonicMs()
    const flight = this.#flights.get(id)
    if (flight)
      return {
        kind: flight.begun ? 'opening' : 'queued',
        ms: nowMs - flight.sinceMs,
        waiting: flight.waiting,
      }
    const failed: Failure | undefined = this.#failures.inForce(id)
    return failed && { kind: 'failed', ms: failed.untilMs - nowMs, waiting: 0, error: failed.error }
  }

  /** Whoever waits gets `opens-stopped` at once; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const flight of this.#flights.values()) flight.end(stopped())
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #flight(id: ProjectId): Flight {
    const flight = new Flight(id, this.#options.clock)
    this.#flights.set(id, flight)
    return flight
  }

  /** One that a touch has queued moves to those that were asked for. */
  #queue(flight: Flight, explicit: boolean): void {
    if (flight.begun || (flight.place && !(explicit && flight.place.line === this.#touched))) return
    flight.leaveLine()
    flight.enter(explicit ? this.#explicit : this.#touched)
    this.#next()
  }

  #drop(flight: Flight): void {
    flight.leaveLine()
    if (this.#flights.get(flight.id) === flight) this.#flights.delete(flight.id)
  }

  #next(): void {
    while (!this.#stopped && this.#running.size < this.#options.atOnce) {
      const flight = this.#explicit.first ?? this.#touched.first
      if (!flight) return
      flight.leaveLine()
      const run = this.#run(flight).finally(() => {
        this.#running.delete(run)
        this.#next()
      })
      this.#running.add(run)
    }
  }

  /** Never rejects. */
  async #run(flight: Flight): Promise<void> {
    const { open, openLimitMs, clock } = this.#options
    const over = new LinkedAbort()
    const limit = clock.sleep(openLimitMs, over.signal).then(
      () => flight.end(tooLong(flight.id, openLimitMs)),
      () => {},
    )
    try {
      const path = await flight.run((signal) => open(flight.id, signal))
      this.#failures.forget(flight.id)
      this.#drop(flight)
      flight.resolve(path)
    } catch (error) {
      // Not the project's failure where it is this host that stops.
      if (!this.#stopped) this.#failures.note(flight.id, flight.endedBy ?? error)
      this.#drop(flight)
      flight.reject(flight.endedBy ?? error)
    } finally {
      over.abort(undefined)
      await limit
    }
  }
}

const stopped = (): TidepoolError =>
  new TidepoolError('opens-stopped', 'this host opens no projects any more: it is shutting down', {
    temporary: true,
    hint: 'Try again once it has started.',
  })

const full = (max: number): TidepoolError =>
  new TidepoolError('opens-full', `${max} callers wait for projects to be opened already`, {
    temporary: true,
    hint: 'Try again; `tidepool status` shows what is being opened.',
  })

const tooLong = (id: ProjectId, limitMs: number): TidepoolError =>
  new TidepoolError('open-timeout', `project ${id} was not open within ${limitMs / 1000} s: it was ended`, {
    temporary: true,
    hint: 'See whether the store answers; the next open goes on from what was received.',
    facts: { project: id, limitMs },
  })
