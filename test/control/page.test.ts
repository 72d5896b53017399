import { readFile, stat } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { rejection } from '../contracts/values.ts'
import { withDaemon } from '../support/daemon.ts'
import { sendBytes } from '../support/malformed.ts'

const test = suite('the status page')
const config = ['page: {port: 0}']

interface Told {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

const get = (link: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Told> =>
  new Promise((resolve, reject) => {
    request(link, { method, headers }, (response) => {
      response.resume()
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }))
    })
      .once('error', reject)
      .end()
  })

test('a port that somebody else has is named, and nothing of the daemon is left running', () =>
  withDaemon(async ({ daemon, config: started, configFile, startWith }) => {
    await daemon.stop()
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const before = process.getActiveResourcesInfo().filter((one) => one === 'FSEventWrap').length
    try {
      const error = await rejection(startWith({ ...started, page: { port } }))
      assert.is(codeOf(error), 'page-unserved')
      assert.match((error as Error).message, String(port))
    } finally {
      other.close()
    }
    const after = process.getActiveResourcesInfo().filter((one) => one === 'FSEventWrap').length
    assert.is(after, before, `${configFile} is watched still`)
    // Its sockets, its pool and its name are free.
    await (await startWith(started)).stop()
  }))

test('only who has the secret of this start is answered, under its own name, and nothing can be done', () =>
  withDaemon(
    async ({ daemon, client }) => {
      const link = new URL(daemon.pageLink ?? '')
      const first = await get(link.href)
      assert.is(first.status, 303)
      assert.is(first.headers.location, '/')
      const [set = ''] = first.headers['set-cookie'] ?? []
      assert.match(set, /HttpOnly; SameSite=Strict/)
      const [cookie = ''] = set.split(';')
      const page = await get(`${link.origin}/`, { cookie })
      assert.is(page.status, 200)
      assert.match(String(page.headers['content-security-policy']), /^default-src 'none'/)
      await client.call('POST', '/v1/projects', { body: { id: 'p' } })
      const paths = ['/', '/page.js', '/v1/status', '/v1/live', '/v1/metrics', '/v1/projects/p/graph']
      for (const path of paths) {
        assert.is((await get(link.origin + path)).status, 401, path)
        assert.is((await get(link.origin + path, { cookie: `${cookie}x` })).status, 401, path)
        assert.is((await get(link.origin + path, { cookie, host: 'evil.example' })).status, 421, path)
        if (path !== '/v1/live') assert.is((await get(link.origin + path, { cookie })).status, 200, path)
      }
      assert.is((await get(`${link.origin}/?token=${'x'.repeat(32)}`)).status, 401)
      assert.is((await get(`${link.origin}/v1/projects/p/close`, { cookie }, 'POST')).status, 405)
      for (const path of ['/v1/projects/p/close', '/package.json', '/%2e%2e/page-server.ts', '/nowhere'])
        assert.is((await get(link.origin + path, { cookie })).status, 404, path)
      assert.is((await get(`${link.origin}/v1/projects/%3Cscript%3E/graph`, { cookie })).status, 400)
    },
    { config },
  ))

test('what is no path, or no HTTP, is refused and written down like at every other way in', () =>
  withDaemon(
    async ({ daemon, refusals }) => {
      const { host, port } = new URL(daemon.pageLink ?? '')
      for (const [sent, status, code] of [
        ['GET //[ HTTP/1.1', 401, 'unauthenticated'],
        ['GET http://[/ HTTP/1.1', 401, 'unauthenticated'],
        ['GET /a\0b HTTP/1.1', 400, 'bad-http'],
        [`GET /${'x'.repeat(20_000)} HTTP/1.1`, 431, 'bad-http'],
      ] as const) {
        const where = { host: '127.0.0.1', port: Number(port) }
        const answer = await sendBytes(where, Buffer.from(`${sent}\r\nHost: ${host}\r\n\r\n`))
        assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), sent.slice(0, 50))
        const told = refusals.at(-1)
        assert.equal([told?.listener, told?.status, told?.code], ['page', status, code])
        assert.match(answer, `x-request-id: ${told?.requestId}`)
      }
      assert.is(refusals.length, 4)
    },
    { config },
  ))

test('the link stands in a file of root alone, and is another at each start', () =>
  withDaemon(
    async ({ daemon, again }) => {
      const file = join(daemon.config.run, 'page.link')
      assert.is((await stat(file)).mode & 0o777, 0o600)
      assert.is((await readFile(file, 'utf8')).trim(), daemon.pageLink)
      const before = daemon.pageLink
      await daemon.stop()
      const next = await again()
      assert.is.not(new URL(next.pageLink ?? '').search, new URL(before ?? '').search)
      assert.is((await readFile(file, 'utf8')).trim(), next.pageLink)
      await next.stop()
    },
    { config },
  ))

test('without a port there is none', () =>
  withDaemon(async ({ daemon }) => {
    assert.is(daemon.pageLink, undefined)
  }))

test.run()
