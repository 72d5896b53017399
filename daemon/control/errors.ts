/** How an error is told over HTTP: a status for programs that know nothing else, and all that the error says in the body. */
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'

const STATUS: Readonly<Record<string, number>> = {
  unauthenticated: 401,
  forbidden: 403,
  'host-refused': 403,
  'too-many-failures': 429,
  'too-many-requests': 429,
  'token-unknown': 404,
  'project-unknown': 404,
  'project-gone': 404,
  'point-unknown': 404,
  'host-unknown': 404,
  'not-resident': 404,
  'no-route': 404,
  'operation-unknown': 404,
  'request-too-large': 413,
  'key-reused': 422,
  'operations-full': 503,
  'streams-full': 503,
  'audit-failed': 503,
  'request-no-json': 400,
  'out-of-space': 507,
  'disk-full': 507,
  'store-full': 507,
  'host-lost': 503,
  'project-quarantined': 503,
  'store-unavailable': 503,
  'outcome-unknown': 503,
  'shutting-down': 503,
  draining: 503,
  'request-timeout': 504,
}

/** Of these nobody who asks is to blame. */
const FAILURE = /^(zfs|store|catalogue|chunk|write|device|evict-failed|no-daemon)/

export interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly hint?: string
    readonly temporary: boolean
    readonly facts: Readonly<Record<string, unknown>>
  }
}

export function statusOf(error: unknown): number {
  const code = codeOf(error)
  if (code === undefined) return 500
  // Whatever else has a code is a state of things that does not allow what was asked.
  return STATUS[code] ?? (code.startsWith('bad-') ? 400 : FAILURE.test(code) ? 500 : 409)
}

/** What nobody expected tells no more than that: what it says is for the log. */
export function bodyOf(error: unknown): ErrorBody {
  if (!(error instanceof TidepoolError))
    return {
      error: {
        code: 'unexpected',
        message: 'this should not have happened',
        hint: 'The log of the daemon has what happened, under the id of this request.',
        temporary: false,
        facts: {},
      },
    }
  const { code, message, hint, temporary, facts } = error
  return { error: { code, message, ...(hint !== undefined && { hint }), temporary, facts } }
}
