/** What is done with projects, told when it ends: for logs, metrics and whoever looks on. Telling never disturbs what is told of. */
import { randomUUID } from 'node:crypto'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { contextNow, within } from '../log/context.ts'
import type { OnProgress, Step } from './progress.ts'

export type ActKind = 'create' | 'open' | 'save' | 'close' | 'evict' | 'move' | 'destroy' | 'roll-back'

/** `fetch` ends with the first bytes from the store; from then on both go on at once, and `receive` is told. */
export const OPEN_PHASES = ['queue', 'plan', 'fetch', 'receive', 'mount'] as const satisfies readonly Step[]

export type OpenPhase = (typeof OPEN_PHASES)[number]

export interface Act {
  readonly what: ActKind
  readonly id: ProjectId
  /** The same in everything that is told of one act. */
  readonly operation: string
  /** When it ended, and how long it took. */
  readonly atMs: number
  readonly tookMs: number
  readonly error?: unknown
  /** For an eviction nobody asked for: what made it leave. */
  readonly why?: string
  /** That went to the store, came from it, or were freed here. */
  readonly bytes?: bigint
  readonly result?: string
  readonly phases?: Readonly<Partial<Record<OpenPhase, number>>>
}

export type OnAct = (act: Act) => void

export type ActResult = Pick<Act, 'bytes' | 'result'>

/** Where the time of one open goes: each moment belongs to the phase that was entered last. */
export class Phases {
  readonly #spentMs: Partial<Record<OpenPhase, number>> = {}
  #now: OpenPhase = 'queue'
  #sinceMs = performance.now()

  /** A step that is no phase of an open belongs to the one before it. */
  step(step: Step): void {
    const phase = OPEN_PHASES.find((one) => one === step)
    if (phase && phase !== this.#now) this.#enter(phase)
  }

  #enter(phase: OpenPhase): void {
    const nowMs = performance.now()
    this.#spentMs[this.#now] = (this.#spentMs[this.#now] ?? 0) + nowMs - this.#sinceMs
    this.#now = phase
    this.#sinceMs = nowMs
  }

  spent(): Partial<Record<OpenPhase, number>> {
    this.#enter(this.#now)
    return this.#spentMs
  }
}

/** Tells of the act when it has ended, well or not, but nothing where `result` gives undefined. */
export async function told<T>(
  onAct: OnAct,
  about: Pick<Act, 'what' | 'id' | 'why'>,
  act: (heard: (onProgress: OnProgress | undefined) => OnProgress) => Promise<T>,
  result: (done: T) => ActResult | undefined = () => ({}),
): Promise<T> {
  const operation = contextNow().operation ?? randomUUID()
  return within({ operation }, () => carriedOut(onAct, { ...about, operation }, act, result))
}

async function carriedOut<T>(
  onAct: OnAct,
  about: Pick<Act, 'what' | 'id' | 'why' | 'operation'>,
  act: (heard: (onProgress: OnProgress | undefined) => OnProgress) => Promise<T>,
  result: (done: T) => ActResult | undefined,
): Promise<T> {
  const startedMs = performance.now()
  const phases = new Phases()
  const end = (more: Partial<Act>): void => {
    const spent = about.what === 'open' ? { phases: phases.spent() } : {}
    onAct({ ...about, atMs: Date.now(), tookMs: performance.now() - startedMs, ...spent, ...more })
  }
  let done: T
  try {
    done = await act((onProgress) => (progress) => {
      phases.step(progress.step)
      onProgress?.(progress)
    })
  } catch (error) {
    end({ error })
    throw error
  }
  const more = result(done)
  if (more) end(more)
  return done
}
