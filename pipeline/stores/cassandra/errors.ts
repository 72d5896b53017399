/**
 * What the driver and the nodes throw, as errors of ours. The one question behind all of it: may it have happened?
 * Where that is not plain, a transaction's outcome is unknown.
 */
import { errors, types } from 'cassandra-driver'
import { messageOf, OutcomeUnknownError, StoreUnavailableError, TidepoolError } from '../../base/errors.ts'

export type Attempt = 'read' | 'write' | 'transaction'

/** What the driver's types leave out of its errors. */
interface Detail {
  readonly isSocketError?: boolean
  readonly requestNotWritten?: boolean
  readonly consistencies?: number
  readonly innerErrors?: Readonly<Record<string, unknown>> | null
}

const { responseErrorCodes: codes, consistencies } = types

/**
 * Said before anything is carried out, and said again to whoever asks again. Every other code, those of newer
 * versions too, may come in the middle of it.
 */
const REFUSALS: ReadonlySet<number> = new Set([
  codes.protocolError,
  codes.badCredentials,
  codes.syntaxError,
  codes.unauthorized,
  codes.invalid,
  codes.configError,
  codes.alreadyExists,
  codes.unprepared,
])

/** An error as the caller of a store sees it. Errors of ours pass as they are. */
export function storeError(error: unknown, what: string, attempt: Attempt): Error {
  if (error instanceof TidepoolError) return error
  if (isPermanent(error)) return permanent(error, what)
  if (attempt === 'transaction' && !nothingHappened(error)) return new OutcomeUnknownError(what, error)
  const overloaded = isOverload(error)
  return new StoreUnavailableError(`${what}: ${reasonOf(error)}`, {
    cause: error,
    overloaded,
    hint: overloaded
      ? 'The store has too much to do; it is tried again, with less at once.'
      : 'See that enough nodes are up (`nodetool status`) and reachable from here.',
  })
}

function isPermanent(error: unknown): boolean {
  if (error instanceof errors.ResponseError) return REFUSALS.has(error.code)
  return error instanceof errors.ArgumentError || error instanceof TypeError || error instanceof RangeError
}

function permanent(error: unknown, what: string): TidepoolError {
  const code = error instanceof errors.ResponseError ? error.code : undefined
  if (code === codes.unauthorized)
    return new TidepoolError('store-forbidden', `${what}: ${reasonOf(error)}`, {
      cause: error,
      hint: 'Grant SELECT and MODIFY on the keyspace to the user that is given, or give another one.',
    })
  return new TidepoolError('store-refused', `${what}: the store refuses it: ${reasonOf(error)}`, {
    cause: error,
    hint: 'No repeat will help. Where a table or column is named, `tidepool store info` shows whether the layout fits.',
  })
}

/** Only where it is certain: nothing was sent, or whoever refused it did so before the first vote. */
function nothingHappened(error: unknown): boolean {
  if (wasNotSent(error)) return true
  if (!(error instanceof errors.ResponseError)) return false
  if (error.code === codes.isBootstrapping) return true
  // The last step of a transaction, when it is decided already, asks for nodes too, at the ordinary consistency,
  // and gives up with the very same error. Before the first vote they are asked for at the serial one.
  if (error.code === codes.unavailableException) {
    const asked = (error as Detail).consistencies
    return asked === consistencies.serial || asked === consistencies.localSerial
  }
  // So does a coordinator that holds too many hints: in the last step, too.
  return error.code === codes.overloaded && !/hint/i.test(error.message)
}

function wasNotSent(error: unknown): boolean {
  if (error instanceof errors.BusyConnectionError || error instanceof errors.AuthenticationError) return true
  if (error instanceof errors.NoHostAvailableError)
    return Object.values((error as Detail).innerErrors ?? {}).every(wasNotSent)
  // In the driver's list of hosts: text for one that is down, nothing for one whose connection was taken.
  if (typeof error === 'string') return true
  if (error instanceof Error && error.message === 'No connection available') return true
  const { isSocketError, requestNotWritten } = (error ?? {}) as Detail
  return isSocketError === true && requestNotWritten === true
}

/** Signs that less at once would help. */
function isOverload(error: unknown): boolean {
  if (error instanceof errors.OperationTimedOutError || error instanceof errors.BusyConnectionError)
    return true
  if (error instanceof errors.NoHostAvailableError)
    return Object.values((error as Detail).innerErrors ?? {}).some(isOverload)
  return (
    error instanceof errors.ResponseError &&
    [codes.overloaded, codes.writeTimeout, codes.readTimeout, codes.unavailableException].includes(error.code)
  )
}

/** The first line of the innermost reason: the driver prints whole stacks into its messages. */
export function reasonOf(error: unknown): string {
  if (error instanceof errors.NoHostAvailableError) {
    const [first] = Object.entries((error as Detail).innerErrors ?? {})
    if (first) return `${first[0]}: ${first[1] === null ? 'no answer' : reasonOf(first[1])}`
    return 'no node is reachable'
  }
  return messageOf(error).split('\n')[0] as string
}
