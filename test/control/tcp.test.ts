import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Client } from '../../daemon/client/client.ts'
import { parseConfig } from '../../daemon/config/read.ts'
import { endpointFileOf } from '../../daemon/daemon.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { rejection } from '../contracts/values.ts'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'
import { eventually } from '../support/fuse.ts'
import { ca, fixture, withTls } from '../support/tls-daemon.ts'

const test = suite('the API over TCP')

test('each role may what it may, and whoever has no token learns nothing', () =>
  withTls(async ({ client, token, asked, refusals }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    const [read, operate, admin] = [await token('read'), await token('operate'), await token('admin')]
    for (const [method, path, ...statuses] of [
      ['GET', '/v1/status', 200, 200, 200],
      ['GET', '/v1/openapi.json', 200, 200, 200],
      ['POST', '/v1/projects/p/save', 403, 200, 200],
      ['POST', '/v1/projects/p/destroy', 403, 403, 200],
      ['GET', '/v1/tokens', 403, 403, 200],
      ['HEAD', '/v1/tokens', 403, 403, 200],
      ['GET', '/v1/nowhere', 404, 404, 404],
    ] as const) {
      const got = []
      for (const one of [read, operate, admin]) got.push((await asked(method, path, one)).status)
      assert.equal(got, statuses, `${method} ${path}`)
    }
    assert.equal(refusals.map(({ principal, status }) => `${principal} ${status}`).slice(0, 3), [
      'token:read-token 403',
      'token:read-token 403',
      'token:operate-token 403',
    ])
    const before = refusals.length
    for (const path of ['/v1/status', '/v1/projects/p', '/v1/nowhere', '/']) {
      const { status, headers } = await asked('GET', path)
      assert.equal([status, headers['www-authenticate']], [401, 'Bearer'], path)
    }
    assert.is((await asked('GET', '/v1/status', `${read}x`)).status, 401)
    assert.is(refusals.length, before + 5)
    for (const secret of [read, operate, admin]) assert.not.match(JSON.stringify(refusals), secret)
    await client.call('DELETE', '/v1/tokens/read-token')
    assert.is((await asked('GET', '/v1/status', read)).status, 401)
  }))

test('only the digest of a token is kept, in a file of root’s alone, and it ends when it was said', () =>
  withTls(async ({ client, token, asked, config, daemon }) => {
    const secret = await token('read', { expiresInMs: 60_000 })
    assert.match(secret, /^tp_[\w-]{43}$/)
    const file = join(config.state, 'tokens.json')
    assert.is((await stat(file)).mode & 0o777, 0o600)
    const text = await readFile(file, 'utf8')
    assert.not.match(text, secret.slice(3))
    assert.is((await asked('GET', '/v1/ready', secret)).status, 200)
    assert.is(
      codeOf(
        await rejection(
          client.call('POST', '/v1/tokens', { body: { name: 'read-token', role: 'admin' } }),
          'the same name',
        ),
      ),
      'token-exists',
    )
    // As if it were later.
    await writeFile(file, text.replace(/"expiresAt": "[^"]+"/, '"expiresAt": "2020-01-01T00:00:00.000Z"'))
    await daemon.reload()
    const late = await asked('GET', '/v1/ready', secret)
    assert.is(late.status, 401)
    assert.match(JSON.stringify(late.json), /expired/)
    // What can't be read leaves what was there.
    await writeFile(file, text)
    await daemon.reload()
    await writeFile(file, '{"version":1,"tokens":[{"name":"x"}]}')
    await daemon.reload()
    assert.is((await asked('GET', '/v1/ready', secret)).status, 200)
    const refused = await rejection(
      client.call('POST', '/v1/tokens', { body: { name: 'more', role: 'read' } }),
      'over what can’t be read',
    )
    assert.is(codeOf(refused), 'bad-tokens')
  }))

test('what is changed in the files by others is heard without being told', () =>
  withTls(async ({ token, asked, config, certificate, port }) => {
    const secret = await token('read')
    assert.is((await asked('GET', '/v1/ready', secret)).status, 200)
    await writeFile(join(config.state, 'tokens.json'), '{"version":1,"tokens":[]}')
    await certificate('renewed')
    await eventually('it is heard', 60_000, async () => {
      const { status } = await asked('GET', '/v1/ready', secret)
      return status === 401 && (await certificateOf(port)) === 'renewed'
    })
  }))

test('a new certificate is taken while it serves; one that can’t be used leaves the one before', () =>
  withTls(async ({ token, daemon, port, certificate, asked }) => {
    const secret = await token('read')
    const subject = () => certificateOf(port)
    assert.is(await subject(), 'server')
    await certificate('renewed')
    await daemon.reload()
    assert.is(await subject(), 'renewed')
    await certificate('ended')
    await daemon.reload()
    assert.is(await subject(), 'renewed')
    await certificate('server')
    await daemon.reload()
    assert.is(await subject(), 'server')
    assert.is((await asked('GET', '/v1/ready', secret)).status, 200)
  }))

async function certificateOf(port: () => Promise<number>): Promise<string> {
  const { connect: connectTls } = await import('node:tls')
  const socket = connectTls({ host: '127.0.0.1', port: await port(), ca })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
  })
}

test('projects are served where the certificate can’t be used, and the API follows once it can', () =>
  withTls(async ({ daemon, again, certificate, client, asked, token }) => {
    const secret = await token('read')
    await daemon.stop()
    await certificate('ended')
    const next = await again()
    try {
      assert.is((await client.call<{ listens: string | null }>('GET', '/v1/status')).listens, null)
      await certificate('server')
      await next.reload()
      assert.is((await asked('GET', '/v1/ready', secret)).status, 200)
    } finally {
      await next.stop()
    }
  }))

test('a page of another site gets nothing, under whatever name it finds us', () =>
  withTls(async ({ token, asked, port }) => {
    const secret = await token('read')
    const status = async (headers: Record<string, string>) =>
      (await asked('GET', '/v1/ready', secret, headers)).status
    const own = `127.0.0.1:${await port()}`
    assert.is(await status({ host: own }), 200)
    assert.is(await status({ host: `tidepool.test:${await port()}` }), 200)
    assert.is(await status({ host: own, origin: `https://${own}` }), 200)
    for (const headers of [
      { host: 'evil.example' },
      { host: '127.0.0.1.evil.example' },
      { host: '192.0.2.1' },
      { host: own, origin: 'https://evil.example' },
      { host: own, origin: 'null' },
      { host: own, 'sec-fetch-site': 'cross-site' },
    ])
      assert.is(await status(headers), 403, JSON.stringify(headers))
    const { headers } = await asked('OPTIONS', '/v1/ready', secret, { origin: `https://${own}` })
    assert.is(headers['access-control-allow-origin'], undefined)
  }))

test('who is refused again and again is told to wait and written down once; who has a token goes on', () =>
  withTls(async ({ token, asked, refusals }) => {
    const secret = await token('read')
    const statuses: number[] = []
    for (let i = 0; i < 30; i++) statuses.push((await asked('GET', '/v1/ready', `wrong${i}`)).status)
    assert.equal(statuses, [...Array(20).fill(401), ...Array(10).fill(429)])
    const { headers } = await asked('GET', '/v1/ready', 'wrong')
    assert.ok(Number(headers['retry-after']) >= 1 && Number(headers['retry-after']) <= 60)
    assert.is(refusals.length, 21)
    assert.is((await asked('GET', '/v1/ready', secret)).status, 200)
  }))

test('a client finds the daemon again on another port, and believes no certificate but its authority’s', () =>
  withTls(async ({ config, daemon, again, token, port }) => {
    const directory = await mkdtemp(join(tmpdir(), 'tidepool-test-'))
    const tokenFile = join(directory, 'token')
    const ready = ['GET', '/v1/ready'] as const
    try {
      await writeFile(tokenFile, `${await token('read')}\n`, { mode: 0o600 })
      const caFile = fixture('ca.pem')
      const endpointFile = endpointFileOf(config)
      const client = new Client({ endpointFile, tokenFile, caFile, limitMs: 60_000, restartMs: 0 })
      assert.equal(await client.call(...ready), { ready: true })
      const url = `https://127.0.0.1:${await port()}`
      const distrusting = new Client({ url, tokenFile })
      assert.is(codeOf(await rejection(distrusting.call(...ready), 'no authority')), 'daemon-certificate')
      const env = { TIDEPOOL_URL: url, TIDEPOOL_TOKEN_FILE: tokenFile, TIDEPOOL_CA_FILE: caFile }
      const { code, stdout, stderr } = await tidepool(['status'], { env })
      assert.is(code, 0, stderr)
      assert.match(String(stdout), /^host/)
      await daemon.stop()
      assert.is(codeOf(await rejection(client.call(...ready), 'nobody')), 'daemon-missing')
      const next = await again()
      assert.equal(await client.call(...ready), { ready: true })
      await next.stop()
      assert.is(
        codeOf(await rejection(new Client({ url, tokenFile, caFile }).call(...ready), 'nobody')),
        'daemon-missing',
      )
      for (const bad of [
        'http://192.0.2.1:1',
        'ftp://localhost',
        'https://user:secret@localhost',
        'nonsense',
      ])
        assert.is(codeOf(await rejection(new Client({ url: bad, tokenFile }).call(...ready), bad)), 'bad-url')
    } finally {
      await rm(directory, { recursive: true })
    }
  }))

test('without TLS it listens on the loopback alone', () => {
  const config = (listen: string) => parseConfig(`store: dir:/s\ndataset: t/p\nlisten: ${listen}\n`, 'x.yaml')
  assert.is(config('{port: 7433}').listen.address, '127.0.0.1')
  const tls = 'tls: {cert: /c, key: /k}'
  assert.is(config(`{port: 7433, address: 0.0.0.0, ${tls}}`).listen.tls?.cert, '/c')
  for (const bad of [
    '{port: 7433, address: 0.0.0.0}',
    '{port: 1, address: "::"}',
    '{port: 1, tls: {cert: /c}}',
  ])
    assert.throws(() => config(bad), /listen/)
})

test('tokens are made, listed and removed by the command', () =>
  withDaemon(async ({ socket }) => {
    const env = { TIDEPOOL_SOCKET: socket }
    const made = await tidepool(
      ['token', 'create', '--name', 'grafana', '--role', 'read', '--expires', '90d'],
      { env },
    )
    assert.match(String(made.stdout), /^tp_[\w-]{43}\n$/)
    assert.match(made.stderr, /token grafana may read and expires/)
    const listed = await tidepool(['token', 'ls'], { env })
    assert.match(String(listed.stdout), /^NAME .*\ngrafana +read /)
    assert.not.match(String(listed.stdout), /tp_/)
    assert.is((await tidepool(['token', 'create', '--name', 'x', '--role', 'root'], { env })).code, 2)
    assert.is((await tidepool(['token', 'rm', 'grafana'], { env })).code, 0)
    assert.match((await tidepool(['token', 'rm', 'grafana'], { env })).stderr, /there is no token grafana/)
  }))

test.run()
