/**
 * The one error class that people and programs see: what was tried, on what, why it failed, what to do next.
 *
 * Everything that a caller may want to tell apart has its own `code`; a class of its own exists only where code
 * of ours branches on it.
 */
export interface ErrorDetail {
  /** What to do next, one sentence for a person. */
  readonly hint?: string
  readonly cause?: unknown
  /** True where the same call may succeed later with nothing changed by anybody. */
  readonly temporary?: boolean
  /** Facts for programs, printed by `--json`. */
  readonly facts?: Readonly<Record<string, unknown>>
}

export class TidepoolError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly temporary: boolean
  readonly facts: Readonly<Record<string, unknown>>

  constructor(code: string, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = new.target.name
    this.code = code
    this.hint = detail.hint
    this.temporary = detail.temporary ?? false
    this.facts = detail.facts ?? {}
  }
}

/**
 * A transaction was sent and nobody knows whether it happened: the answer was lost or came too late.
 * It may also still happen later. Only a serial read, and where that shows no change a fence, settles it.
 */
export class OutcomeUnknownError extends TidepoolError {
  constructor(what: string, cause?: unknown) {
    super('outcome-unknown', `${what}: the store did not say whether it happened`, {
      cause,
      temporary: true,
      hint: 'Nothing needs to be done by hand: the next step reads what happened before it goes on.',
    })
  }
}

/** The store could not be asked, or answered late: reads and idempotent writes may be tried again. */
export class StoreUnavailableError extends TidepoolError {
  /** The store is there but has too much to do: ask for less, not only later. */
  readonly overloaded: boolean

  constructor(message: string, detail: ErrorDetail & { overloaded?: boolean } = {}) {
    super('store-unavailable', message, { temporary: true, ...detail })
    this.overloaded = detail.overloaded ?? false
  }
}

/** The errno of a Node system error, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The `code` of any error of ours, or undefined. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof TidepoolError ? error.code : undefined
}

/** The words of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
