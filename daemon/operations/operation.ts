/** One call of a verb that may take long: what it does, how far it is, and how it ended. */
import { randomUUID } from 'node:crypto'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import type { OnProgress, Progress, Step } from '../projects/progress.ts'
import { Rate } from './rate.ts'

/** Who asked for what. */
export interface Asked {
  readonly verb: string
  readonly project: string | null
  readonly principal: string
  /** By which way it came: a socket, an address, a touch. */
  readonly origin: string
}

export type OperationState = 'running' | 'done' | 'failed' | 'cancelled'

export class Operation {
  readonly id = randomUUID()
  readonly asked: Asked
  readonly startedAtMs: number
  readonly #clock: Clock
  readonly #onStep: (operation: Operation) => void
  readonly #stop = new LinkedAbort()
  readonly #rate = new Rate()
  #state: OperationState = 'running'
  #progress: Progress = { step: 'queue' }
  #endedAtMs: number | undefined
  #error: unknown
  #result: object | undefined
  #version = 1
  #changed: () => void = () => {}
  #change: Promise<void> = new Promise(() => {})

  /** `onStep` hears of it when it comes to another step. */
  constructor(asked: Asked, clock: Clock, onStep: (operation: Operation) => void = () => {}) {
    this.asked = asked
    this.#clock = clock
    this.#onStep = onStep
    this.startedAtMs = clock.wallMs()
    this.#arm()
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  get state(): OperationState {
    return this.#state
  }

  get step(): Step {
    return this.#progress.step
  }

  get progress(): Progress {
    return this.#progress
  }

  get endedAtMs(): number | undefined {
    return this.#endedAtMs
  }

  /** Of a failed or cancelled one. */
  get error(): unknown {
    return this.#error
  }

  /** What a caller who waited got, of one that is done. */
  get result(): object | undefined {
    return this.#result
  }

  /** Grows with each change. */
  get version(): number {
    return this.#version
  }

  /** Resolves at the next change. */
  get change(): Promise<void> {
    return this.#change
  }

  readonly onProgress: OnProgress = (progress) => {
    if (this.#state !== 'running') return
    const before = this.step
    this.#progress = progress
    if (before !== this.step) this.#onStep(this)
    this.#rate.note(this.#clock.monotonicMs(), progress.doneBytes ?? 0n)
    this.#became()
  }

  /** Asks it to end; it has ended when its state says so. */
  cancel(reason: unknown): void {
    this.#stop.abort(reason)
  }

  done(result: object): void {
    this.#result = result
    this.#end('done')
  }

  failed(error: unknown): void {
    this.#error = error
    this.#end(this.signal.aborted ? 'cancelled' : 'failed')
  }

  get bytesPerSecond(): number {
    if (this.#state !== 'running') return 0
    return this.#rate.bytesPerSecond(this.#clock.monotonicMs(), this.#progress.doneBytes ?? 0n)
  }

  /** Undefined where nobody knows. */
  get leftMs(): number | undefined {
    const { doneBytes, totalBytes } = this.#progress
    const rate = this.bytesPerSecond
    if (totalBytes === undefined || doneBytes === undefined || rate <= 0) return undefined
    return Math.max(0, (Number(totalBytes - doneBytes) / rate) * 1000)
  }

  #end(state: OperationState): void {
    this.#state = state
    this.#endedAtMs = this.#clock.wallMs()
    this.#became()
  }

  #became(): void {
    this.#version++
    const changed = this.#changed
    this.#arm()
    changed()
  }

  #arm(): void {
    this.#change = new Promise((resolve) => {
      this.#changed = resolve
    })
  }
}
