/** Serves the routes over HTTP/JSON on a Unix socket: each request has an id, a limit on its size and one on its time. */
import { chmod, mkdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import type { z } from 'zod'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { toJson } from '../cli/output.ts'
import type { Daemon } from '../daemon.ts'
import { bodyOf, statusOf } from './errors.ts'
import { openapi } from './openapi.ts'
import type { Route } from './route.ts'

export interface ServeOptions {
  readonly socket: string
  readonly routes: readonly Route[]
  /** How long one request may take. */
  readonly limitMs?: number
}

export interface Served {
  /** Answers what has begun, takes nothing new. */
  close(): Promise<void>
}

const MAX_BODY_BYTES = 64 * 1024
/** The longest is an open of a large project from afar. */
const REQUEST_LIMIT_MS = 60 * 60_000

/** Rejects with `socket-in-use` where somebody answers there already. */
export async function serve(
  daemon: Daemon,
  { socket, routes, limitMs = REQUEST_LIMIT_MS }: ServeOptions,
): Promise<Served> {
  const app = server(daemon, routes, limitMs)
  await mkdir(dirname(socket), { recursive: true, mode: 0o711 })
  if (await answers(socket))
    throw new TidepoolError('socket-in-use', `somebody answers on ${socket} already`, {
      hint: 'A daemon is running: `tidepool status` asks it.',
    })
  await rm(socket, { force: true })
  // Nobody gets in between the socket's birth and its mode.
  const before = process.umask(0o177)
  try {
    await app.listen({ path: socket })
  } finally {
    process.umask(before)
  }
  await chmod(socket, 0o600)
  return { close: () => app.close() }
}

function server(daemon: Daemon, routes: readonly Route[], limitMs: number): FastifyInstance {
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 300 },
    logger: false,
  })
  app.removeAllContentTypeParsers()
  // Whatever it is called: there is one format, and one place where it is read.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, text === '' ? undefined : JSON.parse(String(text)))
    } catch (cause) {
      done(new TidepoolError('request-no-json', 'the body of the request is no JSON', { cause }))
    }
  })
  app.setErrorHandler(async (error, _request, reply) => {
    const told = ofTheServer(error)
    return reply
      .status(statusOf(told))
      .type('application/json')
      .send(toJson(bodyOf(told)))
  })
  app.setNotFoundHandler(async (request, reply) => {
    const error = new TidepoolError('no-route', `there is no ${request.method} ${request.url.slice(0, 200)}`)
    return reply
      .status(404)
      .type('application/json')
      .send(toJson(bodyOf(error)))
  })
  const document = toJson(openapi(routes, '1'))
  app.get('/v1/openapi.json', async (_request, reply) => reply.type('application/json').send(document))
  for (const one of routes)
    app.route({
      method: one.method,
      url: one.path.replace(/\{(\w+)\}/g, ':$1'),
      handler: async (request, reply) => {
        const params = checked(one.params, request.params, 'path')
        const body = checked(one.body, request.body ?? undefined, 'body')
        const limit = new LinkedAbort(daemon.signal)
        const late = setTimeout(
          () => limit.abort(new TidepoolError('request-timeout', `no end within ${limitMs / 1000} s`)),
          limitMs,
        )
        reply.raw.once('close', () => {
          if (!reply.raw.writableFinished)
            limit.abort(new TidepoolError('caller-gone', 'the caller has gone'))
        })
        try {
          const answer = await one.run({ daemon, params, body, signal: limit.signal })
          if (one.contentType !== undefined)
            return await reply.type(one.contentType).send((answer as { text: string }).text)
          return await reply.type('application/json').send(toJson(answer))
        } finally {
          clearTimeout(late)
          limit.leave()
        }
      },
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

/** What the HTTP library refuses by itself, in our words. */
function ofTheServer(error: unknown): unknown {
  if (error instanceof TidepoolError) return error
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  if (statusCode === 413)
    return new TidepoolError('request-too-large', 'the body of the request is too large')
  if (statusCode !== undefined && statusCode < 500)
    return new TidepoolError('bad-request', message ?? 'the request is wrong')
  return error
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const client = connect(socket)
    client.once('connect', () => {
      client.destroy()
      resolve(true)
    })
    client.once('error', (error) => {
      if (errnoOf(error) === 'ECONNREFUSED' || errnoOf(error) === 'ENOENT') resolve(false)
      else reject(error)
    })
  })
}
