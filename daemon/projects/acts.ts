/**
 * What is done with projects, told when it ends, also what nobody asked for: for events, logs, metrics and whoever looks on. Telling
 * never disturbs what is told of.
 */
import { randomUUID } from 'node:crypto'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import { contextNow, within } from '../log/context.ts'
import type { OnProgress, Step } from './progress.ts'

export type ActKind =
  | 'create'
  | 'open'
  | 'save'
  | 'close'
  | 'evict'
  | 'move'
  | 'destroy'
  | 'roll-back'
  | 'restore'

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
  /** Nobody asked for it: a save of every minute, or an eviction by a sweep. */
  readonly byItself?: boolean
  /** For an eviction nobody asked for: what made it leave. */
  readonly why?: string
  /** That went to the store, came from it, or were freed here. */
  readonly bytes?: bigint
  readonly result?: string
  /** That was saved, restored or gone back to. */
  readonly point?: Guid
  /** The name of the host that it was moved to. */
  readonly to?: string
  readonly phases?: Readonly<Partial<Record<OpenPhase, number>>>
}

/** Never throws, and returns at once. */
export type OnAct = (act: Act) => void

export type ActResult = Pick<Act, 'bytes' | 'result' | 'point' | 'to'>

export interface ToldOptions<T> {
  /** Where it gives undefined nothing is told. */
  readonly result?: (done: T) => ActResult | undefined
  /** Where it gives false nothing is told of an act that was not done. */
  readonly isFailure?: () => boolean
}

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

/** Tells of the act when it has ended, well or not. */
export async function told<T>(
  onAct: OnAct,
  about: Pick<Act, 'what' | 'id' | 'why' | 'byItself'>,
  act: (heard: (onProgress: OnProgress | undefined) => OnProgress) => Promise<T>,
  { result = () => ({}), isFailure = () => true }: ToldOptions<T> = {},
): Promise<T> {
  const operation = contextNow().operation ?? randomUUID()
  return within({ operation }, () => carriedOut(onAct, { ...about, operation }, act, { result, isFailure }))
}

async function carriedOut<T>(
  onAct: OnAct,
  about: Pick<Act, 'what' | 'id' | 'why' | 'byItself' | 'operation'>,
  act: (heard: (onProgress: OnProgress | undefined) => OnProgress) => Promise<T>,
  { result, isFailure }: Required<ToldOptions<T>>,
): Promise<T> {
  const startedMs = performance.now()
  const phases = new Phases()
  const end = (more: Partial<Act>): void => {
    const spent = about.what === 'open' ? { phases: phases.spent() } : {}
    const tookMs = performance.now() - startedMs
    onAct({ ...about, atMs: Date.now(), tookMs, ...spent, ...more })
  }
  let done: T
  try {
    done = await act((onProgress) => (progress) => {
      phases.step(progress.step)
      onProgress?.(progress)
    })
  } catch (error) {
    if (isFailure()) end({ error })
    throw error
  }
  const more = result(done)
  if (more) end(more)
  return done
}
