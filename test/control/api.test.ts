import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Client } from '../../daemon/client/client.ts'
import { parseConfig } from '../../daemon/config/read.ts'
import { openapi } from '../../daemon/control/openapi.ts'
import { routes } from '../../daemon/control/routes.ts'
import { Daemon, socketOf } from '../../daemon/daemon.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { rejection } from '../contracts/values.ts'
import { type FakeZfs, withFakeZfs } from '../support/fake-zfs.ts'
import { bytes, chance, int, pick, type Random, runSeed, seeded } from '../support/random.ts'

const test = suite('the API of the daemon')

interface Setting {
  readonly client: Client
  readonly daemon: Daemon
  readonly socket: string
  readonly fake: FakeZfs
  readonly again: () => Promise<Daemon>
}

const withDaemon = (body: (setting: Setting) => Promise<void>): Promise<void> =>
  withFakeZfs(async (fake) => {
    const at = (name: string): string => join(fake.directory, name)
    const config = parseConfig(
      [
        'store: dir:/unused',
        `dataset: ${fake.parent}`,
        `access: ${at('projects')}`,
        `mounts: ${at('mnt')}`,
        `state: ${at('state')}`,
        `run: ${at('run')}`,
        'evict: {afterCommit: 0s}',
      ].join('\n'),
      'test.yaml',
    )
    const store = memoryStore()
    const limiter = fixedLimiter({ count: 8, maxBytes: 64 * 2 ** 20 })
    const opened = { store, limiter, close: async () => {} }
    const start = (): Promise<Daemon> => Daemon.start(config, undefined, { opened, zfs: fake.zfs })
    const daemon = await start()
    const socket = socketOf(config)
    try {
      await body({ client: new Client({ socket, limitMs: 30_000 }), daemon, socket, fake, again: start })
    } finally {
      await daemon.stop()
    }
  })

interface Told {
  readonly path: string
  readonly realPath: string
  readonly point: string
  readonly kind: string
  readonly head: string
  readonly owner: string | null
}

test('a project from its making to its end, by requests alone', () =>
  withDaemon(async ({ client, daemon }) => {
    const post = (path: string, body?: unknown) => client.call<Told>('POST', `/v1/projects${path}`, { body })
    const made = await post('', { id: 'home1', quotaBytes: '10000000', owner: { uid: 1000, gid: 1000 } })
    assert.is(made.path, join(daemon.config.access, 'home1'))
    const file = join(made.realPath, 'file')
    await writeFile(file, 'one')
    const first = await post('/home1/save')
    assert.is(first.kind, 'saved')
    assert.is((await post('/home1/save')).kind, 'unchanged')
    await writeFile(file, 'two')
    const second = await post('/home1/snapshot', {})
    const { points } = await client.call<{ points: { point: string; isHead: boolean }[] }>(
      'GET',
      '/v1/projects/home1/history',
    )
    assert.equal(points.map(({ point }) => point).sort(), [first.point, second.point].sort())
    await post('/home1/pin', { point: first.point })
    await post('/home1/rollback', { point: first.point })
    assert.is(await readFile(file, 'utf8'), 'one')
    const { path } = await post('/home1/restore', { point: second.point })
    assert.is(await readFile(join(path, 'file'), 'utf8'), 'two')
    await client.call('DELETE', `/v1/projects/home1/restored/${second.point}`)
    await client.call('PUT', '/v1/projects/home1/quota', { body: { quotaBytes: null } })
    await post('/home1/evict')
    const { projects } = await client.call<{ projects: unknown[] }>('GET', '/v1/projects')
    assert.equal(projects, [])
    await post('/home1/open')
    assert.is(await readFile(file, 'utf8'), 'one')
    assert.is((await post('/home1/close')).owner, null)
    await post('/home1/destroy')
    const gone = await rejection<TidepoolError>(post('/home1/open'), 'an open of what is destroyed')
    assert.ok(gone instanceof TidepoolError && gone.hint)
    await post('/home1/undelete')
    await post('/home1/open')
    assert.is(await readFile(file, 'utf8'), 'one')
  }))

test('verbs may be called twice', () =>
  withDaemon(async ({ client }) => {
    const post = (path: string, body?: unknown) => client.call('POST', `/v1/projects${path}`, { body })
    await post('', { id: 'p' })
    assert.is(codeOf(await rejection(post('', { id: 'p' }), 'a second create')), 'project-exists')
    for (const verb of [
      'open',
      'open',
      'save',
      'save',
      'close',
      'close',
      'destroy',
      'destroy',
      'undelete',
      'undelete',
    ])
      await post(`/p/${verb}`)
  }))

test('each error comes back with its code and what to do next', () =>
  withDaemon(async ({ client }) => {
    for (const [method, path, body, code] of [
      ['POST', '/v1/projects/nope/open', undefined, 'project-unknown'],
      ['GET', '/v1/projects/nope', undefined, 'project-unknown'],
      ['POST', '/v1/projects/nope/save', undefined, 'not-resident'],
      ['GET', '/v1/nowhere', undefined, 'no-route'],
      ['POST', '/v1/projects', { id: 'Bad' }, 'bad-request'],
      ['POST', '/v1/projects', { id: 'a', quotaBytes: 5 }, 'bad-quota'],
      ['POST', '/v1/projects', { id: 'a', surprise: 1 }, 'bad-request'],
      ['POST', '/v1/projects/..%2f..%2fetc/open', undefined, 'bad-request'],
      ['POST', '/v1/projects/a%00b/open', undefined, 'bad-request'],
      ['POST', `/v1/projects/${'x'.repeat(300)}/open`, undefined, 'bad-request'],
    ] as const)
      assert.is(codeOf(await rejection(client.call(method, path, { body }), path)), code, path)
  }))

test('a second daemon is refused, and where none is that is said', () =>
  withDaemon(async ({ again, client, daemon }) => {
    assert.is(codeOf(await rejection(again(), 'a second daemon')), 'pool-locked')
    await daemon.stop()
    assert.is(codeOf(await rejection(client.call('GET', '/v1/ready'), 'nobody')), 'daemon-missing')
    const next = await again()
    assert.equal(await client.call('GET', '/v1/ready'), { ready: true })
    assert.ok('paths' in (await client.call('GET', '/v1/openapi.json')))
    await next.stop()
  }))

test('the document names every route with what it takes', () => {
  const { paths } = openapi(routes, '0') as { paths: Record<string, Record<string, { summary: string }>> }
  for (const { method, path } of routes) assert.ok(paths[path]?.[method.toLowerCase()]?.summary, path)
  assert.match(JSON.stringify(paths['/v1/projects/{id}/rollback']), /"point"/)
})

const requests = Math.ceil(10_000 * Number(process.env.TIDEPOOL_LONG ?? 0.1))

test(`${requests} malformed requests are refused, none as a failure of the daemon`, () =>
  withDaemon(async ({ client, socket }) => {
    const random = seeded(runSeed('api'))
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    for (let i = 0; i < requests; i++) {
      const { method, path, body } = malformed(random)
      const status = await statusOf(socket, method, path, body)
      assert.ok(status < 500, `${method} ${path} ${body}: ${status}`)
    }
    assert.equal(await client.call('GET', '/v1/ready'), { ready: true })
  }))

const OUR_WORDS = [
  '',
  'p',
  'q',
  '..',
  '%2e%2e',
  '%00',
  '%0a',
  'x'.repeat(300),
  '%',
  '%ff',
  '__proto__',
  '-1',
  '1e9',
]

const takingSomething = routes.filter(({ method, path }) => method !== 'GET' || path.includes('{'))

function malformed(random: Random): { method: string; path: string; body: Buffer | undefined } {
  const { method, path } = pick(random, takingSomething)
  const filled = path.replace(/\{\w+\}/g, () => pick(random, OUR_WORDS))
  const body = pick(random, [
    () => undefined,
    () => bytes(random, int(random, 0, 300)),
    () => Buffer.from('{"point":'),
    () => Buffer.from(JSON.stringify({ id: pick(random, OUR_WORDS), quotaBytes: -1, extra: { a: [] } })),
    () =>
      Buffer.from(
        JSON.stringify({ point: pick(random, OUR_WORDS), points: 'all', to: 5, local: 'x', at: 0 }),
      ),
    () => Buffer.from('[]'),
    () => Buffer.alloc(70_000, 'x'),
  ])()
  return { method: chance(random, 0.1) ? 'PATCH' : method, path: filled, body }
}

function statusOf(
  socketPath: string,
  method: string,
  path: string,
  body: Buffer | undefined,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = body && method !== 'GET' ? { 'content-type': 'application/json' } : {}
    const asked = request({ socketPath, method, path, headers }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
    })
    // A body that is refused for its size is not read to its end.
    asked.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' || error.code === 'ECONNRESET' ? resolve(413) : reject(error),
    )
    asked.end(method === 'GET' ? undefined : body)
  })
}

test.run()
