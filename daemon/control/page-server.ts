/**
 * The status page, for people on this machine: a port of 127.0.0.1 that answers only who has the secret in its link, and only
 * questions. The secret is made at each start, and stands in a file that root alone can read.
 */
import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { writeAtomically } from '../../pipeline/base/atomic-file.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Refusal, Refused } from '../auth/caller.ts'
import { Failures } from '../auth/failures.ts'
import { toJson } from '../cli/output.ts'
import type { Daemon } from '../daemon.ts'
import { within } from '../log/context.ts'
import { unexpectedLine } from '../log/lines.ts'
import type { Log } from '../log/log.ts'
import { lookView } from '../watch/view.ts'
import { bodyOf, statusOf } from './errors.ts'
import { httpServer } from './http-server.ts'
import { endMalformed, isRefusal } from './refusals.ts'
import type { Route } from './route.ts'

export interface Page {
  readonly link: string
  close(): Promise<void>
}

export const pageLinkFile = (run: string): string => join(run, 'page.link')

const FILES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'host.js': 'text/javascript; charset=utf-8',
  'projects.js': 'text/javascript; charset=utf-8',
  'project.js': 'text/javascript; charset=utf-8',
  'graph.js': 'text/javascript; charset=utf-8',
  'plots.js': 'text/javascript; charset=utf-8',
  'elements.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
}
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}
const LIVE_EVERY_MS = 2_000
const MAX_WATCHERS = 16
/** A page that is being opened asks for some files at a time. */
const CONNECTIONS = 256

/** Undefined where the configuration says so. */
export async function servePage(
  daemon: Daemon,
  routes: readonly Route[],
  refused: Refused,
  log: Log,
): Promise<Page | undefined> {
  const { port: wanted } = daemon.config.page
  if (wanted === 'off') return undefined
  const secret = randomBytes(24).toString('base64url')
  const files = new Map<string, Buffer>()
  for (const name of Object.keys(FILES))
    files.set(name, await readFile(new URL(`./page/${name}`, import.meta.url)))
  const { clock } = daemon.engine.host
  const watchers = new Set<ServerResponse>()
  let last: { readonly atMs: number; readonly text: Promise<string> } | undefined
  const failures = new Failures(() => performance.now())
  const server = httpServer(
    (request, response) => {
      const requestId = randomUUID()
      response.setHeader('x-request-id', requestId)
      answer(request, response, requestId).catch((error: unknown) => {
        const status = statusOf(error)
        if (!(error instanceof TidepoolError)) unexpectedLine(log, requestId, error)
        else if (isRefusal(error))
          tellRefused(request, { status, code: error.code, requestId, principal: 'page' })
        if (response.headersSent) response.destroy()
        else json(response, status, bodyOf(error))
      })
    },
    { atOnce: CONNECTIONS },
  )
  server.on('clientError', (error, socket) => {
    const refusal = endMalformed(error, socket as Socket, { listener: 'page', failures, origin: 'page' })
    if (refusal) refused(refusal)
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new TidepoolError('page-unserved', `the status page can't be served on 127.0.0.1:${wanted}`, {
          cause,
          hint: 'Name another port under page: in the configuration, or none.',
        }),
      ),
    )
    server.listen(wanted, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
  const host = `127.0.0.1:${port}`
  // Cookies know no ports: two daemons of one machine must not take each other's.
  const cookie = `tidepool-${port}`
  const link = `http://${host}/?token=${secret}`
  const file = pageLinkFile(daemon.config.run)
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o711 })
    await writeAtomically(file, [Buffer.from(`${link}\n`)], { mode: 0o600 })
  } catch (error) {
    await close()
    throw error
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
  ): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    // A stranger's name that leads to this address is no way in.
    const refuse = (status: number, code: string, text: string): void => {
      tellRefused(request, { status, code, requestId, principal: code === 'forbidden' ? 'page' : undefined })
      plain(response, status, text)
    }
    if (request.headers.host !== host && request.headers.host !== `localhost:${port}`)
      return refuse(421, 'host-refused', `This is ${host}.`)
    const { path, token } = askedFor(request)
    if (request.method === 'GET' && path === '/' && token !== null && isSecret(token, secret)) {
      response.setHeader('set-cookie', `${cookie}=${secret}; HttpOnly; SameSite=Strict; Path=/`)
      response.writeHead(303, { location: '/' }).end()
      return
    }
    if (!isSecret(cookieOf(request, cookie), secret))
      return refuse(401, 'unauthenticated', 'Open the link that `tidepool status --web` prints.')
    if (request.method !== 'GET') return refuse(405, 'forbidden', 'This page only tells.')
    const name = path === '/' ? 'index.html' : path.slice(1)
    const content = files.get(name)
    if (content) response.writeHead(200, { 'content-type': FILES[name] }).end(content)
    else if (path === '/v1/live') await live(response)
    else await ask(path, response, requestId)
  }

  function tellRefused(
    request: IncomingMessage,
    about: Pick<Refusal, 'status' | 'code' | 'requestId' | 'principal'>,
  ): void {
    if (!failures.note('page').tell) return
    const { method = '' } = request
    // What stands behind it may be a secret: of another start, or of another daemon.
    const path = askedFor(request).path.slice(0, 400)
    refused({ listener: 'page', origin: 'page', method, path, ...about })
  }

  /** A look lists the whole pool: all who watch share one. */
  function looked(): Promise<string> {
    const nowMs = clock.monotonicMs()
    if (!last || nowMs - last.atMs >= LIVE_EVERY_MS)
      last = { atMs: nowMs, text: lookView(daemon).catch(bodyOf).then(toJson) }
    return last.text
  }

  async function live(response: ServerResponse): Promise<void> {
    if (watchers.size >= MAX_WATCHERS) return plain(response, 503, 'Too many pages are open.')
    watchers.add(response)
    response.once('close', () => watchers.delete(response))
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    while (watchers.has(response) && !daemon.signal.aborted) {
      const text = await looked()
      // One that reads slowly gets the next moment instead of all of them.
      if (!response.writableNeedDrain) response.write(`data: ${text}\n\n`)
      await clock.sleep(LIVE_EVERY_MS, daemon.signal).catch(() => {})
    }
    response.end()
  }

  async function ask(path: string, response: ServerResponse, requestId: string): Promise<void> {
    for (const one of routes) {
      const names = [...one.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '')
      const found = new RegExp(`^${one.path.replace(/\{\w+\}/g, '([^/]+)')}$`).exec(path)
      if (one.method !== 'GET' || one.needs !== 'read' || one.answers !== undefined || !found) continue
      const given = Object.fromEntries(names.map((name, at) => [name, found[at + 1]]))
      const params = one.params.safeParse(given)
      if (!params.success) throw new TidepoolError('bad-request', 'the path of the request is wrong')
      const call = {
        daemon,
        params: params.data,
        body: {},
        signal: daemon.signal,
        principal: 'page',
        origin: 'page',
        requestId,
        onProgress: () => {},
      }
      const result = await within({ request: requestId }, () => one.run(call))
      if (one.contentType === undefined) return json(response, 200, result)
      response.writeHead(200, { 'content-type': one.contentType }).end((result as { text: string }).text)
      return
    }
    throw new TidepoolError('no-route', 'there is nothing here')
  }

  return { link, close }
}

/** Anything can stand there, also what no URL can be made of. */
function askedFor({ url = '/' }: IncomingMessage): { readonly path: string; readonly token: string | null } {
  const [path = '', query = ''] = url.split('?', 2)
  return { path, token: new URLSearchParams(query).get('token') }
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
}

function json(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(toJson(value))
}

function isSecret(given: string | undefined, secret: string): boolean {
  const [one, other] = [Buffer.from(given ?? ''), Buffer.from(secret)]
  return one.length === other.length && timingSafeEqual(one, other)
}

const cookieOf = (request: IncomingMessage, name: string): string | undefined =>
  request.headers.cookie
    ?.split(/;\s*/)
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1)
