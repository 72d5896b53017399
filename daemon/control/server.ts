/** The routes as a server of HTTP/JSON: who asks is proved first; each request has an id, a limit on its size and one on its time. */
import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { AtOnce } from '../auth/at-once.ts'
import type { Asked, Caller, Guard, ListenerName, Refused } from '../auth/caller.ts'
import { Failures, originOf } from '../auth/failures.ts'
import { TokenUse } from '../auth/token-use.ts'
import { toJson } from '../cli/output.ts'
import type { Daemon } from '../daemon.ts'
import { within } from '../log/context.ts'
import { requestLine, unexpectedLine } from '../log/lines.ts'
import type { Log } from '../log/log.ts'
import { projectOf } from './audited.ts'
import { bodyOf, statusOf } from './errors.ts'
import { EventStream, EventStreams } from './event-stream.ts'
import { checkRole } from './guards.ts'
import { type Connections, httpServer } from './http-server.ts'
import { openapi } from './openapi.ts'
import { OPERATION_HEADER, perform } from './perform.ts'
import { endMalformed, ofTheServer, refusedWith } from './refusals.ts'
import type { Route } from './route.ts'
import { Silent } from './silent.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    asked?: Asked['route']
  }
  interface FastifyRequest {
    caller: Caller | undefined
  }
}

export interface ServerOptions {
  readonly listener: ListenerName
  readonly routes: readonly Route[]
  readonly guard: Guard
  readonly refused: Refused
  /** Has a line of each request that was let in. */
  readonly log: Log
  readonly connections: Connections
  /** How long one request may take. */
  readonly limitMs?: number
}

const MAX_BODY_BYTES = 64 * 1024
/** The longest is an open of a large project from afar. */
const REQUEST_LIMIT_MS = 60 * 60_000
/** As others call it, for there is no status of HTTP: nobody was there to be answered. */
const CALLER_GONE = 499
/** What a caller may choose: it comes back in a header and stands in logs. */
const REQUEST_ID = /^[\w.-]{1,64}$/

export function server(
  daemon: Daemon,
  { listener, routes, guard, refused, log, connections, limitMs = REQUEST_LIMIT_MS }: ServerOptions,
): FastifyInstance {
  const failures = new Failures(() => performance.now())
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 300 },
    logger: false,
    genReqId: ({ headers }) => {
      const given = String(headers['x-request-id'] ?? '')
      return REQUEST_ID.test(given) ? given : randomUUID()
    },
    serverFactory: (handler) => httpServer(handler, connections) as Server,
    // A path that can't be read: no hook and no guard is called for it.
    frameworkErrors: (error, request, reply) =>
      fail(ofTheServer(error), request as unknown as FastifyRequest, reply as unknown as FastifyReply),
    clientErrorHandler: (error, socket) => {
      const refusal = endMalformed(error, socket, { listener, failures, origin: originAt(socket) })
      if (refusal) refused(refusal)
    },
  }) as FastifyInstance
  const uses = new TokenUse(() => performance.now())
  const noteUse = (principal: string, origin: string): void => {
    if (!uses.note(principal, origin)) return
    const about = { what: 'token-use', project: null, operation: null, result: 'done' } as const
    daemon.journal.audit.note({ ...about, principal, origin })
  }
  const atOnce = new AtOnce()
  const silent = new Silent(connections.silent ?? connections.atOnce)
  app.server.on(connections.tls ? 'secureConnection' : 'connection', (socket) => silent.add(socket))
  const originAt = ({ remoteAddress }: Socket): string =>
    listener === 'tcp' ? originOf(remoteAddress ?? '') : `${listener} socket`

  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { told, refusal } = refusedWith(error, {
      listener,
      request,
      failures,
      origin: originAt(request.raw.socket),
    })
    if (refusal) refused(refusal)
    const { retryAfterS } = told instanceof TidepoolError ? told.facts : {}
    if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS))
    const status = statusOf(told)
    if (codeOf(told) === undefined) unexpectedLine(log, request.id, told)
    if (status === 401) reply.header('www-authenticate', 'Bearer')
    return reply
      .header('x-request-id', request.id)
      .status(status)
      .type('application/json')
      .send(toJson(bodyOf(told)))
  }

  app.removeAllContentTypeParsers()
  // Whatever it is called: there is one format, and one place where it is read.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, text === '' ? undefined : JSON.parse(String(text)))
    } catch (cause) {
      done(new TidepoolError('request-no-json', 'the body of the request is no JSON', { cause }))
    }
  })
  app.decorateRequest('caller', undefined)
  // Before the body is read: of nobody, nothing is.
  app.addHook('onRequest', async (request, reply) => {
    silent.asks(request.raw.socket)
    reply.raw.once('close', () => silent.answered(request.raw.socket))
    reply.header('x-request-id', request.id)
    const asked: Asked = {
      route: request.routeOptions.config?.asked,
      params: request.params,
      headers: request.headers,
      localAddress: request.raw.socket.localAddress,
    }
    request.caller = await guard(asked)
    if (listener === 'tcp') noteUse(request.caller.principal, originAt(request.raw.socket))
    checkRole(request.caller, asked)
  })
  app.setErrorHandler(async (error, request, reply) => fail(ofTheServer(error), request, reply))
  app.setNotFoundHandler(async (request, reply) =>
    fail(
      new TidepoolError('no-route', `there is no ${request.method} ${request.url.slice(0, 200)}`),
      request,
      reply,
    ),
  )
  /** Of a request that was let in, when it is over: who was refused has a line of his own, and not one each time. */
  const line = (one: Route, request: FastifyRequest, reply: FastifyReply): void => {
    const operation = reply.getHeader(OPERATION_HEADER)
    requestLine(log, {
      id: request.id,
      listener,
      method: one.method,
      route: one.path,
      project: projectOf(request),
      principal: request.caller?.principal,
      origin: originAt(request.raw.socket),
      status: reply.raw.writableFinished ? reply.raw.statusCode : CALLER_GONE,
      tookMs: reply.elapsedTime,
      ...(operation !== undefined && { operation: String(operation) }),
    })
  }
  const streams = new EventStreams()
  const document = toJson(openapi(routes, '1'))
  app.get(
    '/v1/openapi.json',
    { config: { asked: { needs: 'read', owner: false } } },
    async (_request, reply) => reply.type('application/json').send(document),
  )
  for (const one of routes)
    app.route({
      method: one.method,
      url: one.path.replace(/\{(\w+)\}/g, ':$1'),
      config: { asked: { needs: one.needs, owner: one.owner === true } },
      handler: (request, reply) =>
        within({ request: request.id }, async () => {
          reply.raw.once('close', () => line(one, request, reply))
          const params = checked(one.params, request.params, 'path')
          const body = checked(one.body, request.body ?? undefined, 'body')
          const { principal } = request.caller as Caller
          const leave = atOnce.enter(principal)
          const limit = new LinkedAbort(daemon.signal)
          const late = setTimeout(
            () => limit.abort(new TidepoolError('request-timeout', `no end within ${limitMs / 1000} s`)),
            limitMs,
          )
          reply.raw.once('close', () => {
            if (!reply.raw.writableFinished)
              limit.abort(new TidepoolError('caller-gone', 'the caller has gone'))
          })
          const who = { principal, origin: originAt(request.raw.socket), requestId: request.id }
          try {
            const call = {
              daemon,
              params,
              body,
              signal: limit.signal,
              ...who,
              onProgress: () => {},
              lastEventId: request.headers['last-event-id']?.toString(),
            }
            // An owner waits for what he asked: so many at a time are all that he can have under way.
            const { method, url, body: sent } = request
            const { prefer: _, ...headers } = request.headers
            const given = {
              method,
              url,
              body: sent,
              headers: listener === 'owners' ? headers : request.headers,
            }
            const answer = await perform(one, given, call, (more) => reply.headers(more))
            if (answer.body instanceof EventStream) {
              streams.checkRoom()
              // From here on nothing of the library's answers any more.
              reply.hijack()
              reply.raw.setHeader('x-request-id', request.id)
              return await streams.send(answer.body, reply.raw, limit.signal)
            }
            if (one.contentType !== undefined)
              return await reply.type(one.contentType).send((answer.body as { text: string }).text)
            return await reply.status(answer.status).type('application/json').send(toJson(answer.body))
          } finally {
            leave()
            clearTimeout(late)
            limit.leave()
          }
        }),
    })
  return app
}

function checked<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const found = result.error.issues.map(({ path, message }) => `${path.join('.') || what}: ${message}`)
  throw new TidepoolError('bad-request', `the ${what} of the request is wrong: ${found.join('; ')}`, {
    hint: 'GET /v1/openapi.json says what each request takes.',
    facts: { mistakes: found },
  })
}
