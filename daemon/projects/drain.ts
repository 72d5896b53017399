/**
 * Empties this host, over restarts too: nothing more is opened, everything is saved, and whatever can leave the pool leaves it,
 * again and again until nothing is left or somebody ends it. What cannot leave is told with why; nothing is forced.
 */
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../../pipeline/base/clock.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { readStateFile, writeStateFile } from './state-file.ts'

export interface DrainWork {
  readonly residents: () => Promise<readonly ProjectId[]>
  /** Saves it first. */
  readonly evict: (id: ProjectId, signal: AbortSignal) => Promise<unknown>
}

export interface DrainState {
  readonly sinceMs: number
  /** Since this process drains. */
  readonly evicted: number
  readonly doing: ProjectId | undefined
  /** In the pool still; without a reason where its turn has not come. */
  readonly left: readonly { readonly id: ProjectId; readonly error: unknown }[]
  /** Nothing is left. */
  readonly isDone: boolean
  /** Why the last look at the pool did not come to its end. */
  readonly error: unknown
}

const FILE = 'drain.json'
const PAUSE_MS = 20_000
const schema = z.object({ sinceMs: z.int().nullable() })

export class Drain {
  readonly #file: string
  readonly #clock: Clock
  #sinceMs: number | undefined
  #evicted = 0
  #doing: ProjectId | undefined
  #left = new Map<ProjectId, unknown>()
  #isDone = false
  #error: unknown
  #wake: () => void = () => {}
  #changing: Promise<void> = Promise.resolve()

  private constructor(file: string, clock: Clock, sinceMs: number | undefined) {
    this.#file = file
    this.#clock = clock
    this.#sinceMs = sinceMs
  }

  /** As an earlier process left it. A file that can't be read counts as drained: somebody wanted that, and undrain mends it. */
  static async open(directory: string, clock: Clock): Promise<Drain> {
    const file = join(directory, FILE)
    const found = await readStateFile(file, schema).catch(() => ({ sinceMs: clock.wallMs() }))
    return new Drain(file, clock, found?.sinceMs ?? undefined)
  }

  get state(): DrainState | undefined {
    if (this.#sinceMs === undefined) return undefined
    return {
      sinceMs: this.#sinceMs,
      evicted: this.#evicted,
      doing: this.#doing,
      left: [...this.#left].map(([id, error]) => ({ id, error })),
      isDone: this.#isDone,
      error: this.#error,
    }
  }

  /** Why nothing is opened; undefined where it may be. */
  get refusal(): TidepoolError | undefined {
    if (this.#sinceMs === undefined) return undefined
    return new TidepoolError('draining', 'this host is being drained: it opens nothing', {
      temporary: true,
      hint: 'Open it on another host, or have this one back: tidepool undrain.',
    })
  }

  /** Durable when it resolves. Begun already is no error. */
  begin(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#sinceMs !== undefined) return
      const sinceMs = this.#clock.wallMs()
      await writeStateFile(this.#file, { sinceMs })
      this.#sinceMs = sinceMs
      this.#evicted = 0
      this.#isDone = false
      this.#left.clear()
      this.#wake()
    })
  }

  end(): Promise<void> {
    return this.#inTurn(async () => {
      await writeStateFile(this.#file, { sinceMs: null })
      this.#sinceMs = undefined
      this.#left.clear()
    })
  }

  /** The file and what is in memory say the same, whoever asks for what at once. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const changed = this.#changing.then(change)
    this.#changing = changed.catch(() => {})
    return changed
  }

  /** Until the signal fires; resolves when nothing is under way any more. Is called once. */
  async run({ residents, evict }: DrainWork, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#sinceMs === undefined) await this.#begun(signal)
      else {
        await this.#pass(await this.#look(residents), evict, signal)
        await this.#clock.sleep(PAUSE_MS, signal).catch(() => {})
      }
    }
  }

  async #look(residents: DrainWork['residents']): Promise<readonly ProjectId[]> {
    try {
      const found = await residents()
      this.#error = undefined
      this.#isDone = found.length === 0
      this.#left = new Map(found.map((id) => [id, this.#left.get(id)]))
      return found
    } catch (error) {
      this.#error = error
      return []
    }
  }

  async #pass(ids: readonly ProjectId[], evict: DrainWork['evict'], signal: AbortSignal): Promise<void> {
    for (const id of ids) {
      if (signal.aborted || this.#sinceMs === undefined) return
      this.#doing = id
      try {
        await evict(id, signal)
        this.#evicted++
        this.#left.delete(id)
      } catch (error) {
        // Somebody else has let it go meanwhile.
        if (codeOf(error) === 'not-resident') this.#left.delete(id)
        else if (this.#left.has(id)) this.#left.set(id, error)
      } finally {
        this.#doing = undefined
      }
    }
    if (ids.length > 0) this.#isDone = this.#left.size === 0
  }

  #begun(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#wake = done
      signal.addEventListener('abort', done, { once: true })
    })
  }
}
