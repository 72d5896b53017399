/**
 * The operations of this start of the daemon: those that run, and so many of those that have ended. Another start knows
 * nothing of them; what they did stands in the store and the pool, and the audit log has their ids.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../pipeline/base/clock.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { within } from '../log/context.ts'
import { type Asked, Operation } from './operation.ts'

export interface OperationsOptions {
  readonly clock: Clock
  readonly onStart?: (operation: Operation) => void
  readonly onEnd?: (operation: Operation) => void
  readonly onStep?: (operation: Operation) => void
  /** Ended ones that can still be asked for. @default 1000 */
  readonly kept?: number
  /** Running ones: each holds what it works with. @default 1000 */
  readonly maxRunning?: number
  /** However long it takes, it does not take for ever. @default 24 h */
  readonly limitMs?: number
}

const KEPT = 1000
const MAX_RUNNING = 1000
const LIMIT_MS = 24 * 3_600_000

export class Operations {
  readonly #options: OperationsOptions
  readonly #running = new Map<string, { readonly operation: Operation; readonly ended: Promise<unknown> }>()
  readonly #ended: LRUCache<string, Operation>
  #stopped: unknown

  constructor(options: OperationsOptions) {
    this.#options = options
    this.#ended = new LRUCache({ max: options.kept ?? KEPT })
  }

  /** Begins at once. `done` is as `act` ends; whoever does not wait for it need not. Throws where nothing new is begun. */
  start<T extends object>(
    asked: Asked,
    act: (operation: Operation) => Promise<T>,
  ): { readonly operation: Operation; readonly done: Promise<T> } {
    const { clock, onStart, onEnd, onStep, maxRunning = MAX_RUNNING, limitMs = LIMIT_MS } = this.#options
    if (this.#stopped !== undefined) throw this.#stopped
    if (this.#running.size >= maxRunning) throw full(maxRunning)
    const operation = new Operation(asked, clock, onStep)
    const late = setTimeout(() => operation.cancel(tooLong(asked.verb, limitMs)), limitMs)
    late.unref()
    onStart?.(operation)
    const run = async (): Promise<T> => {
      try {
        const result = await act(operation)
        operation.done(result)
        return result
      } catch (error) {
        operation.failed(error)
        throw error
      } finally {
        clearTimeout(late)
        this.#running.delete(operation.id)
        this.#ended.set(operation.id, operation)
        onEnd?.(operation)
      }
    }
    const done = within({ operation: operation.id }, run)
    this.#running.set(operation.id, { operation, ended: done.catch(() => {}) })
    return { operation, done }
  }

  /** The running ones first, then what ended last. */
  get all(): readonly Operation[] {
    return [
      ...[...this.#running.values()].map(({ operation }) => operation).reverse(),
      ...this.#ended.values(),
    ]
  }

  /** Rejects with `operation-unknown`. */
  get(id: string): Operation {
    const operation = this.#running.get(id)?.operation ?? this.#ended.peek(id)
    if (operation) return operation
    throw new TidepoolError('operation-unknown', `there is no operation ${id.slice(0, 100)}`, {
      hint: 'It ended long ago, or before the daemon was started again: `tidepool status` shows how things are.',
    })
  }

  /** Nothing new is begun, what runs is told to end; resolves when nothing runs any more. */
  async stop(reason: unknown): Promise<void> {
    this.#stopped = reason
    for (const { operation } of this.#running.values()) operation.cancel(reason)
    await Promise.all([...this.#running.values()].map(({ ended }) => ended))
  }
}

const full = (max: number): TidepoolError =>
  new TidepoolError('operations-full', `${max} operations are under way already`, {
    temporary: true,
    hint: 'Try again when some have ended: GET /v1/operations lists them.',
  })

const tooLong = (verb: string, limitMs: number): TidepoolError =>
  new TidepoolError('operation-timeout', `${verb} had no end within ${limitMs / 3_600_000} h`, {
    temporary: true,
    hint: 'See whether the store answers.',
  })
