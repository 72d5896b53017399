/** Node's HTTP server with what keeps slow, many and oversized callers from harm: limits on time, count and size of what comes before a request is whole. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'

export interface Connections {
  readonly atOnce: number
  /** Of these, over how many nothing is asked; the oldest makes room. @default all */
  readonly silent?: number
  /** Given, TLS is spoken. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Until a whole request is there. @default 30 s */
  readonly requestLimitMs?: number
  /** Until its headers are there. @default 10 s */
  readonly headersLimitMs?: number
}

const MAX_HEADER_BYTES = 16 * 1024
/** For the next request over the same connection. */
const IDLE_LIMIT_MS = 15_000
/** How often late ones are looked for. */
const CHECK_EVERY_MS = 1000

export function httpServer(
  handler: RequestListener,
  { atOnce, tls, requestLimitMs = 30_000, headersLimitMs = 10_000 }: Connections,
): Server | SecureServer {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: requestLimitMs,
    headersTimeout: headersLimitMs,
    keepAliveTimeout: IDLE_LIMIT_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
    // A caller whose machine is gone is noticed while something long goes on.
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  }
  const made = tls
    ? createSecureServer(
        { ...limits, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: headersLimitMs },
        handler,
      )
    : createServer(limits, handler)
  made.maxConnections = atOnce
  return made
}
