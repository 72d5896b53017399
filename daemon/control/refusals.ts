/** What of a failed request is a refusal: of who asks, or of a request that could never have been meant. Those are told to whoever keeps book. */
import type { FastifyRequest } from 'fastify'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ListenerName, Refusal } from '../auth/caller.ts'
import type { Failures } from '../auth/failures.ts'
import { statusOf } from './errors.ts'

const REFUSALS = new Set([
  'unauthenticated',
  'forbidden',
  'host-refused',
  'no-route',
  'bad-id',
  'bad-request',
  'request-too-large',
  'request-no-json',
])
/** Of the path that a stranger chose. */
const PATH_LENGTH = 400

interface Circumstances {
  readonly listener: ListenerName
  readonly request: FastifyRequest
  readonly failures: Failures
  readonly origin: string
}

/** Whoever is refused too often is told to wait instead. Root may err as often as root likes. */
export function refusedWith(
  error: unknown,
  { listener, request, failures, origin }: Circumstances,
): { readonly told: unknown; readonly refusal?: Refusal } {
  if (!(error instanceof TidepoolError && REFUSALS.has(error.code))) return { told: error }
  const { waitMs, tell } = listener === 'root' ? { waitMs: 0, tell: true } : failures.note(origin)
  const told = waitMs > 0 ? tooMany(waitMs) : error
  if (!tell) return { told }
  return {
    told,
    refusal: {
      listener,
      origin,
      principal: request.caller?.principal,
      method: request.method,
      path: request.url.slice(0, PATH_LENGTH),
      status: statusOf(told),
      code: told.code,
      requestId: request.id,
    },
  }
}

function tooMany(waitMs: number): TidepoolError {
  const retryAfterS = Math.ceil(waitMs / 1000)
  return new TidepoolError('too-many-failures', 'too many requests from here were refused', {
    temporary: true,
    hint: `Try again in ${retryAfterS} s, with a token that is right.`,
    facts: { retryAfterS },
  })
}

/** What the HTTP library refuses by itself, in our words. */
export function ofTheServer(error: unknown): unknown {
  if (error instanceof TidepoolError) return error
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  if (statusCode === 413)
    return new TidepoolError('request-too-large', 'the body of the request is too large')
  if (statusCode !== undefined && statusCode < 500)
    return new TidepoolError('bad-request', message ?? 'the request is wrong')
  return error
}
