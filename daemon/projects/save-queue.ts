/**
 * Nobody loses more than a minute: every project that is watched is saved again and again, busy or not, and one whose save
 * failed is tried until it succeeds. Knows nothing of ZFS or stores: whether there was anything to save, the save tells.
 */
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { backoff } from '../../pipeline/limit/backoff.ts'

export interface SaveQueueOptions {
  readonly clock: Clock
  /** From 0 up to, not including, 1. */
  readonly random: () => number
  /**
   * Resolves once the store has all that the project held when it was called; or all that it held at an earlier moment, and then with
   * that moment on the monotonic clock. Calls `begins` where it had to wait for something before it looked at the project.
   */
  readonly save: (id: ProjectId, signal: AbortSignal, begins: () => void) => Promise<number | undefined>
  /** From the start of one save to the start of the next. @default 60 s */
  readonly intervalMs?: number
  /** Saves under way at a time; more where others wait for too long. @default 2 */
  readonly atOnce?: number
}

export type SaveSettings = Required<Pick<SaveQueueOptions, 'intervalMs' | 'atOnce'>>

export interface SaveState {
  /** On the monotonic clock, as all here. What was written since is perhaps saved nowhere. */
  readonly savedUpToMs: number
  readonly saving: boolean
  /** Of something since then ZFS counts nothing any more, because a snapshot that is here alone has it. */
  readonly hasOwnSnapshot: boolean
  /** When the next save begins; undefined while one is under way. */
  readonly nextAtMs: number | undefined
  /** Of the last save, where it failed; how often in a row. */
  readonly error: unknown
  readonly failures: number
}

interface Watched {
  savedUpToMs: number
  nextAtMs: number
  running: LinkedAbort | undefined
  snapshotAtMs: number | undefined
  error: unknown
  failures: number
  delays: Iterator<number>
}

const INTERVAL_MS = 60_000
const AT_ONCE = 2
/** Of the interval: hosts that started together must not save together. Downwards, so that the promise holds. */
const JITTER = 0.2
/**
 * A save that takes long is not begun again before it has been quiet for twice as long. What it waited for others is no work of its own: a
 * save behind an act of ten minutes would be followed by twenty without one. Nor is what a failed one took: that goes by the delays.
 */
const REST_FACTOR = 2
/** Of the interval, from one question to the next, however old the moment was that the last one was answered for. */
const LEAST_SHARE = 0.4
const RETRY_BASE_MS = 1_000
/** Of the interval: one that has waited so long for its turn is given room beside the others, up to so many times as many. */
const LATE = 0.05
const ROOM_FACTOR = 4
/** So long it waits at least, and as a share of the interval at most, for others that are due by then too. */
const MOMENT_MS = 250
const MOMENT_SHARE = 0.005
/** In intervals: a save that takes longer is told of, and keeps no place from the others. */
const SLOW = 5
/** Of the interval: how soon those are saved of which nobody knows what is saved. */
const SOON = 0.25

export class SaveQueue {
  #options: Required<SaveQueueOptions>
  readonly #watched = new Map<ProjectId, Watched>()
  /** Since when whose save is under way; also of one that was forgotten, and perhaps is watched again, before its save has ended. */
  readonly #saving = new Map<ProjectId, number>()
  #wake: () => void = () => {}
  #asleep: { readonly untilMs: number; readonly end: LinkedAbort } | undefined

  constructor(options: SaveQueueOptions) {
    this.#options = { intervalMs: INTERVAL_MS, atOnce: AT_ONCE, ...options }
  }

  /** From the next save of each project on. */
  reconfigure(options: SaveSettings): void {
    this.#options = { ...this.#options, ...options }
    const latestMs = this.#options.clock.monotonicMs() + this.#options.intervalMs
    for (const watched of this.#watched.values()) watched.nextAtMs = Math.min(watched.nextAtMs, latestMs)
    this.#wake()
  }

  /**
   * From its mount on; nothing that it holds now is unsaved, or else `found`: an earlier process has watched it, and an interval may be
   * unsaved already. Watched already is no error.
   */
  watch(id: ProjectId, { found = false } = {}): void {
    if (this.#watched.has(id)) return
    const { clock, intervalMs, random } = this.#options
    const nowMs = clock.monotonicMs()
    this.#watched.set(id, {
      savedUpToMs: found ? nowMs - intervalMs : nowMs,
      nextAtMs: nowMs + (found ? SOON * intervalMs * random() : this.#jittered()),
      running: undefined,
      snapshotAtMs: undefined,
      error: undefined,
      failures: 0,
      delays: this.#delays(),
    })
    this.#wake()
  }

  /** After its last save and its unmount. A save that is under way is ended. */
  forget(id: ProjectId): void {
    this.#watched.get(id)?.running?.abort(new Error('the project is no longer watched'))
    this.#watched.delete(id)
    this.#wake()
  }

  /** A snapshot was made that is here alone. */
  snapshot(id: ProjectId): void {
    const watched = this.#watched.get(id)
    if (watched) watched.snapshotAtMs = this.#options.clock.monotonicMs()
  }

  /** All that there was at that moment is saved, by whomever. */
  saved(id: ProjectId, upToMs: number): void {
    const watched = this.#watched.get(id)
    if (!watched) return
    watched.savedUpToMs = Math.max(watched.savedUpToMs, upToMs)
    if (watched.snapshotAtMs !== undefined && watched.snapshotAtMs <= upToMs) watched.snapshotAtMs = undefined
  }

  /** The next save begins as soon as there is room. */
  hurry(id: ProjectId): void {
    const watched = this.#watched.get(id)
    if (watched) watched.nextAtMs = Math.min(watched.nextAtMs, this.#options.clock.monotonicMs())
    this.#wake()
  }

  state(id: ProjectId): SaveState | undefined {
    const watched = this.#watched.get(id)
    if (!watched) return undefined
    const { savedUpToMs, nextAtMs, running, snapshotAtMs, error, failures } = watched
    return {
      savedUpToMs,
      saving: running !== undefined,
      hasOwnSnapshot: snapshotAtMs !== undefined,
      nextAtMs: running ? undefined : nextAtMs,
      error,
      failures,
    }
  }

  /** Those that were saved the longest ago first. */
  get ids(): readonly ProjectId[] {
    return [...this.#watched].sort(([, a], [, b]) => a.savedUpToMs - b.savedUpToMs).map(([id]) => id)
  }

  /** As it is in force. */
  get intervalMs(): number {
    return this.#options.intervalMs
  }

  get size(): number {
    return this.#watched.size
  }

  /** Those whose last save failed, each with why. */
  get failing(): readonly { readonly id: ProjectId; readonly error: unknown }[] {
    return [...this.#watched].flatMap(([id, { error }]) => (error === undefined ? [] : [{ id, error }]))
  }

  /** Saves that take so long that something may be wrong with them. */
  get slow(): readonly { readonly id: ProjectId; readonly forMs: number }[] {
    const nowMs = this.#options.clock.monotonicMs()
    return [...this.#saving].flatMap(([id, startedMs]) =>
      nowMs - startedMs < this.#slowMs ? [] : [{ id, forMs: nowMs - startedMs }],
    )
  }

  /** How far back the least saved one goes: what a crash of the pool would cost now. */
  get longestUnsavedMs(): number {
    const nowMs = this.#options.clock.monotonicMs()
    return Math.max(0, ...[...this.#watched.values()].map(({ savedUpToMs }) => nowMs - savedUpToMs))
  }

  /** How long a save is due that could begin and has not; more than a moment of it says that nobody looks any more. */
  get overdueMs(): number {
    if (this.#saving.size >= this.#options.atOnce) return 0
    const next = this.#next()
    return next ? Math.max(0, this.#options.clock.monotonicMs() - next.watched.nextAtMs) : 0
  }

  /** Until the signal fires; resolves when nothing is under way any more. Is called once. */
  async run(signal: AbortSignal): Promise<void> {
    const saves = new Set<Promise<void>>()
    const onAbort = (): void => this.#wake()
    signal.addEventListener('abort', onAbort, { once: true })
    while (!signal.aborted) {
      const next = this.#next()
      const isDue = next !== undefined && next.watched.nextAtMs <= this.#options.clock.monotonicMs()
      if (isDue && this.#hasRoomFor(next.watched)) {
        const save = this.#save(next.id, next.watched, signal).finally(() => saves.delete(save))
        saves.add(save)
      } else await this.#pause(next?.watched.nextAtMs ?? Number.POSITIVE_INFINITY, signal)
    }
    signal.removeEventListener('abort', onAbort)
    this.#asleep?.end.abort(signal.reason)
    await Promise.all(saves)
  }

  /** The one whose save is to begin first of all, now or later. A plain loop: it is asked after every save of a thousand. */
  #next(): { readonly id: ProjectId; readonly watched: Watched } | undefined {
    let first: ProjectId | undefined
    let watchedFirst: Watched | undefined
    this.#watched.forEach((watched, id) => {
      if (watchedFirst && watched.nextAtMs >= watchedFirst.nextAtMs) return
      if (this.#saving.has(id)) return
      first = id
      watchedFirst = watched
    })
    return first !== undefined && watchedFirst ? { id: first, watched: watchedFirst } : undefined
  }

  #hasRoomFor({ nextAtMs }: Watched): boolean {
    const { clock, atOnce } = this.#options
    const nowMs = clock.monotonicMs()
    const under = [...this.#saving.values()].filter((startedMs) => nowMs - startedMs < this.#slowMs).length
    return under < (nowMs - nextAtMs >= this.#lateMs ? ROOM_FACTOR * atOnce : atOnce)
  }

  get #lateMs(): number {
    return LATE * this.#options.intervalMs
  }

  get #slowMs(): number {
    return SLOW * this.#options.intervalMs
  }

  async #save(id: ProjectId, watched: Watched, signal: AbortSignal): Promise<void> {
    const { clock, save } = this.#options
    const running = new LinkedAbort(signal)
    const startedMs = clock.monotonicMs()
    let begunMs = startedMs
    watched.running = running
    this.#saving.set(id, startedMs)
    try {
      const upToMs =
        (await save(id, running.signal, () => {
          begunMs = clock.monotonicMs()
        })) ?? begunMs
      this.saved(id, upToMs)
      watched.error = undefined
      watched.failures = 0
      watched.delays = this.#delays()
      const endedMs = clock.monotonicMs()
      watched.nextAtMs = Math.max(
        upToMs + this.#jittered(),
        startedMs + LEAST_SHARE * this.#options.intervalMs,
        endedMs + REST_FACTOR * (endedMs - begunMs),
      )
    } catch (error) {
      watched.error = error
      watched.failures += 1
      watched.nextAtMs = clock.monotonicMs() + Number(watched.delays.next().value)
    } finally {
      running.leave()
      watched.running = undefined
      this.#saving.delete(id)
      this.#wake()
    }
  }

  /** Until the next one is due, there is room, one has waited too long, or something has changed; sometimes for less. */
  #pause(dueMs: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs()
    const slowMs = [...this.#saving.values()].map((startedMs) => startedMs + this.#slowMs)
    const nextMs = Math.min(...[dueMs, dueMs + this.#lateMs, ...slowMs].filter((ms) => ms > nowMs))
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    if (Number.isFinite(nextMs)) this.#sleepUntil(nextMs, signal)
    return woken
  }

  /**
   * Wakes then, a moment later, or before: a sleep that ends sooner is kept. Of a thousand projects one is due each 60 ms, and a
   * timer with its signals for each was the most that an idle daemon did; after a moment several are due together.
   */
  #sleepUntil(dueMs: number, signal: AbortSignal): void {
    const { clock, intervalMs } = this.#options
    const nowMs = clock.monotonicMs()
    const untilMs = Math.max(dueMs, nowMs + Math.min(MOMENT_MS, MOMENT_SHARE * intervalMs))
    if (this.#asleep && this.#asleep.untilMs <= untilMs) return
    this.#asleep?.end.abort(new Error('woken'))
    const asleep = { untilMs, end: new LinkedAbort(signal) }
    this.#asleep = asleep
    void clock
      .sleep(untilMs - nowMs, asleep.end.signal)
      .catch(() => {})
      .then(() => {
        asleep.end.leave()
        if (this.#asleep !== asleep) return
        this.#asleep = undefined
        this.#wake()
      })
  }

  #jittered(): number {
    return this.#options.intervalMs * (1 - JITTER * this.#options.random())
  }

  #delays(): Iterator<number> {
    const { random, intervalMs } = this.#options
    return backoff({ random, baseMs: Math.min(RETRY_BASE_MS, intervalMs), capMs: intervalMs })
  }
}
