/** What of a failed request is a refusal: of who asks, or of a request that could never have been meant. Those are told to whoever keeps book. */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ListenerName, Refusal } from '../auth/caller.ts'
import type { Failures, Noted } from '../auth/failures.ts'
import { toJson } from '../cli/output.ts'
import { bodyOf, statusOf } from './errors.ts'

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
/** What Node's parser calls it. */
const MALFORMED: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
}
const LINGER_MS = 1000
/** Of the path that a stranger chose. */
const PATH_LENGTH = 400

export const isRefusal = (error: unknown): error is TidepoolError =>
  error instanceof TidepoolError && REFUSALS.has(error.code)

interface Circumstances {
  readonly listener: ListenerName
  readonly failures: Failures
  readonly origin: string
}

/** Whoever is refused too often is told to wait instead. Root may err as often as root likes. */
export function refusedWith(
  error: unknown,
  { listener, request, failures, origin }: Circumstances & { readonly request: FastifyRequest },
): { readonly told: unknown; readonly refusal?: Refusal } {
  if (!isRefusal(error)) return { told: error }
  const { waitMs, tell } = noted({ listener, failures, origin })
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

const noted = ({ listener, failures, origin }: Circumstances): Noted =>
  listener === 'root' ? { waitMs: 0, tell: true } : failures.note(origin)

/** What is no request at all: answered in a few words, and the connection ended. */
export function endMalformed(
  error: Error,
  socket: Socket,
  circumstances: Circumstances,
): Refusal | undefined {
  const requestId = randomUUID()
  const errno = errnoOf(error)
  const status = (errno !== undefined && MALFORMED[errno]) || 400
  const told = new TidepoolError('bad-http', `this is no request: ${STATUS_CODES[status]}`)
  if (socket.writable && errno !== 'ECONNRESET') {
    const body = toJson(bodyOf(told))
    socket.end(
      [
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
        'content-type: application/json',
        `content-length: ${Buffer.byteLength(body)}`,
        `x-request-id: ${requestId}`,
        'connection: close',
        '',
        body,
      ].join('\r\n'),
    )
  }
  // It need not read that, and may have more to send.
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
  const { listener, origin } = circumstances
  if (errno === 'ECONNRESET' || !noted(circumstances).tell) return undefined
  return { listener, origin, principal: undefined, method: '', path: '', status, code: told.code, requestId }
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
