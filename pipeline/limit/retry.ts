/** Tries an operation on a store again while that may help, and never longer or more often than is good for it. */
import { setMaxListeners } from 'node:events'
import type { Clock } from '../base/clock.ts'
import { OutcomeUnknownError, StoreUnavailableError, TidepoolError } from '../base/errors.ts'
import type { Attempt } from './aimd.ts'
import { backoff } from './backoff.ts'
import { Circuit } from './circuit.ts'
import { RetryBudget } from './retry-budget.ts'

/** What all the operations on one store share: make one a store, never one an operation. */
export interface RetryScope {
  readonly clock: Clock
  readonly random: () => number
  readonly budget: RetryBudget
  readonly circuit: Circuit
  /** No attempt of an operation begins later than this after its first could have. @default 5 min */
  readonly deadlineMs?: number
}

export interface RetryOptions extends RetryScope {
  /** What is tried, for the error: `put chunk 7 of write …`. */
  readonly what: string
  /** How many attempts at most. @default 20 */
  readonly attempts?: number
  readonly signal?: AbortSignal | undefined
  /** Called after each attempt, before anything waits: a limiter's `observe` fits. */
  readonly onAttempt?: (attempt: AttemptReport) => void
}

export interface AttemptReport extends Attempt {
  /** From 1. */
  readonly attempt: number
  readonly error?: unknown
}

const DEADLINE_MS = 5 * 60_000
const ATTEMPTS = 20

export function retryScope({ clock, random }: { clock: Clock; random: () => number }): RetryScope {
  return { clock, random, budget: new RetryBudget(clock), circuit: new Circuit(clock) }
}

/**
 * The operation's first good result. Only a `temporary` error is tried again; any other is rethrown as it is, and so is
 * an OutcomeUnknownError: what may have happened already must be read before anybody does it a second time. When time
 * or tries run out, the last error comes with how often and how long it was tried, under its own code. An attempt has
 * no limit of its own here: the driver under it has one, and a promise that was given up would still change the store.
 */
export async function retry<T>(
  operation: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { clock, budget, circuit, signal, onAttempt, attempts = ATTEMPTS } = options
  // Whoever gave up before it began must find the store unchanged, also where the operation does not look at signals.
  signal?.throwIfAborted()
  // All the chunks of a transfer wait under its one signal; Node's warning at the eleventh would name no leak.
  if (signal) setMaxListeners(0, signal)
  const startedMs = clock.monotonicMs()
  const untilMs = startedMs + (options.deadlineMs ?? DEADLINE_MS)
  const delays = backoff(options)
  let last: TidepoolError | undefined
  for (let attempt = 1; ; attempt++) {
    const giveUp = (): TidepoolError =>
      last
        ? exhausted(last, options, attempt - 1, clock.monotonicMs() - startedMs)
        : notTried(options, circuit.silence)
    if (last) {
      const delayMs = delays.next().value
      if (attempt > attempts || clock.monotonicMs() + delayMs >= untilMs) throw giveUp()
      await clock.sleep(delayMs, signal)
      if (!(await budget.take(untilMs, signal))) throw giveUp()
    }
    // Last of the waits, so that what waited elsewhere meanwhile is held back too.
    if (!(await circuit.pass(untilMs, signal))) throw giveUp()
    signal?.throwIfAborted()

    const begunMs = clock.monotonicMs()
    const report = (outcome: Attempt['outcome'], detail: { error?: unknown } = {}): void =>
      onAttempt?.({ attempt, elapsedMs: clock.monotonicMs() - begunMs, outcome, ...detail })
    let result: T
    try {
      result = await operation(attempt)
    } catch (error) {
      last = temporary(error)
      if (last) circuit.failed(error)
      report(outcomeOf(error), { error })
      if (!last || last instanceof OutcomeUnknownError) throw error
      signal?.throwIfAborted()
      continue
    }
    circuit.succeeded()
    budget.succeeded({ retried: attempt > 1 })
    report('ok')
    return result
  }
}

function temporary(error: unknown): TidepoolError | undefined {
  return error instanceof TidepoolError && error.temporary ? error : undefined
}

function outcomeOf(error: unknown): Attempt['outcome'] {
  return error instanceof StoreUnavailableError && error.overloaded ? 'overload' : 'error'
}

/** A new error and not the old one changed: a driver may reject a hundred operations with one and the same object. */
function exhausted(
  last: TidepoolError,
  { what }: RetryOptions,
  attempts: number,
  elapsedMs: number,
): TidepoolError {
  const times = attempts === 1 ? 'once' : `${attempts} times`
  const message = `${what}: tried ${times} in ${seconds(elapsedMs)}: ${last.message}`
  const detail = {
    cause: last,
    temporary: true,
    facts: { ...last.facts, attempts, elapsedMs: Math.round(elapsedMs) },
    ...(last.hint === undefined ? {} : { hint: last.hint }),
  }
  return last instanceof StoreUnavailableError
    ? new StoreUnavailableError(message, { ...detail, overloaded: last.overloaded })
    : new TidepoolError(last.code, message, detail)
}

function notTried({ what }: RetryOptions, silence: Circuit['silence']): StoreUnavailableError {
  const since = silence ? `; nothing succeeded there for ${seconds(silence.ms)}` : ''
  return new StoreUnavailableError(`${what}: not tried, the store does not answer${since}`, {
    cause: silence?.error,
    facts: { attempts: 0 },
    hint: 'Look whether the store runs and can be reached from this host.',
  })
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
