/** Who asks, as far as it was proved, and what is told of those who were refused. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Role } from './role.ts'

export type ListenerName = 'root' | 'owners' | 'tcp' | 'page'

export interface Caller {
  /** `root`, `owner:<id>` or `token:<name>`. */
  readonly principal: string
  readonly role: Role
}

/** What a guard looks at, of whatever library serves. */
export interface Asked {
  /** Undefined where there is no such route. */
  readonly route: { readonly needs: Role; readonly owner: boolean } | undefined
  readonly params: unknown
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The address on our side that the caller has reached. */
  readonly localAddress: string | undefined
}

/** Proves who asks, before anything else of the request is looked at. Rejects where that is nobody who may. */
export type Guard = (asked: Asked) => Promise<Caller>

export interface Refusal {
  readonly listener: ListenerName
  /** An address, or the name of the socket. */
  readonly origin: string
  /** Undefined where nobody was proved. */
  readonly principal: string | undefined
  readonly method: string
  readonly path: string
  readonly status: number
  readonly code: string
  readonly requestId: string
}

/** Hears of every refused request; of an origin that is refused again and again, only of the first ones in a minute. */
export type Refused = (refusal: Refusal) => void

/** For the audit log. */
export const refusalEntry = ({ origin, principal, method, path, status, code, requestId }: Refusal) => ({
  what: 'refused',
  project: null,
  principal: principal ?? 'nobody',
  origin,
  operation: null,
  result: 'refused' as const,
  code,
  request: { method, path, status, requestId },
})

export const unauthenticated = (message: string, hint: string): TidepoolError =>
  new TidepoolError('unauthenticated', message, { hint })

export const forbidden = (message: string, hint: string): TidepoolError =>
  new TidepoolError('forbidden', message, { hint })

/** The secret of `Authorization: Bearer …`; undefined where there is none, or one that is too long to be ours. */
export function bearerOf({ authorization }: Asked['headers']): string | undefined {
  const [, secret] = /^Bearer ([\w.~+/=-]{1,200})$/i.exec(String(authorization ?? '')) ?? []
  return secret
}
