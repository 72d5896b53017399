import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openapi } from '../../daemon/control/openapi.ts'
import { routes } from '../../daemon/control/routes.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { DEFAULT_RETENTION } from '../../pipeline/graph/retention.ts'
import { rejection } from '../contracts/values.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('the API of the daemon')

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
    const set = await client.call<{ properties: object }>('PUT', '/v1/projects/home1/properties', {
      body: { properties: { compression: 'gzip', recordsize: null } },
    })
    assert.equal(set.properties, { compression: 'gzip' })
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
      ['POST', '/v1/projects/nope/save', undefined, 'project-unknown'],
      ['POST', '/v1/projects/nope/evict', undefined, 'project-unknown'],
      ['POST', '/v1/projects/nope/snapshot', {}, 'project-unknown'],
      ['GET', '/v1/nowhere', undefined, 'no-route'],
      ['POST', '/v1/projects', { id: 'Bad' }, 'bad-request'],
      ['POST', '/v1/projects', { id: 'a', quotaBytes: 5 }, 'bad-quota'],
      ['POST', '/v1/projects', { id: 'a', properties: { mountpoint: '/etc' } }, 'property-not-allowed'],
      ['PUT', '/v1/projects/a/properties', { properties: { sync: 'always' } }, 'property-not-allowed'],
      ['PUT', '/v1/projects/a/properties', { properties: { readonly: true } }, 'bad-request'],
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

test('the store is looked through by a request, and removed from only where that is asked for', () =>
  withDaemon(async ({ client }) => {
    assert.equal(await client.call('GET', '/v1/health'), { healthy: true })
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    await client.call('POST', '/v1/projects/p/save')
    interface Told {
      readonly summary: { depth: string; applied: boolean; projects: number; checkedWrites: number }
      readonly damaged: boolean
      readonly findings: readonly object[]
    }
    const looked = await client.call<Told>('POST', '/v1/scrub')
    assert.equal([looked.summary.depth, looked.summary.applied], ['stale', false])
    assert.equal([looked.summary.projects, looked.damaged, looked.findings], [1, false, []])
    const deep = await client.call<Told>('POST', '/v1/scrub', {
      body: { depth: 'deep', apply: true, sample: 1 },
    })
    assert.equal([deep.summary.depth, deep.summary.applied, deep.summary.checkedWrites], ['deep', true, 1])
    assert.is(
      codeOf(await rejection(client.call('POST', '/v1/scrub', { body: { depth: 'all' } }))),
      'bad-request',
    )
  }))

test('what the configuration keeps no look through the store lets go', () =>
  withDaemon(
    async ({ client }) => {
      const { realPath } = await client.call<{ realPath: string }>('POST', '/v1/projects', {
        body: { id: 'p' },
      })
      const save = async (text: string): Promise<string> => {
        await writeFile(join(realPath, 'file'), text)
        return (await client.call<{ point: string }>('POST', '/v1/projects/p/save')).point
      }
      const first = await save('first')
      const left = await save('left')
      await client.call('POST', '/v1/projects/p/rollback', { body: { point: first } })
      await client.call('POST', '/v1/projects/p/acknowledge', { body: { points: [left] } })
      // No way to the head leads over it, and by default it would be too old.
      for (let n = 0; n < DEFAULT_RETENTION.latest; n++) await save(String(n))
      const { summary } = await client.call<{ summary: { findings: Record<string, number> } }>(
        'POST',
        '/v1/scrub',
        { body: { apply: true } },
      )
      assert.is(summary.findings['superfluous-write'] ?? 0, 0)
      const { points } = await client.call<{ points: { point: string }[] }>('GET', '/v1/projects/p/history')
      assert.ok(points.some(({ point }) => point === left))
    },
    { config: ['save: {interval: 1h}', 'keep: {latest: 100}'] },
  ))

test('the document names every route with what it takes', () => {
  const { paths } = openapi(routes, '0') as { paths: Record<string, Record<string, { summary: string }>> }
  for (const { method, path } of routes) assert.ok(paths[path]?.[method.toLowerCase()]?.summary, path)
  assert.match(JSON.stringify(paths['/v1/projects/{id}/rollback']), /"point"/)
  assert.match(
    JSON.stringify(paths['/v1/projects/{id}/open']),
    /"Idempotency-Key".*"Prefer".*"202"|"202".*"Prefer"/,
  )
  assert.match(JSON.stringify(paths['/v1/events']), /"Last-Event-ID".*text\/event-stream/)
})

test('what may lose something is for admins, and an owner asks about one project only', () => {
  const needs = new Map(routes.map(({ method, path, needs: role }) => [`${method} ${path}`, role]))
  for (const verb of ['destroy', 'undelete', 'rollback', 'move', 'acknowledge'])
    assert.is(needs.get(`POST /v1/projects/{id}/${verb}`), 'admin', verb)
  for (const what of ['quota', 'properties'])
    assert.is(needs.get(`PUT /v1/projects/{id}/${what}`), 'admin', what)
  assert.is(needs.get('POST /v1/scrub'), 'admin')
  for (const one of ['GET /v1/tokens', 'POST /v1/tokens', 'DELETE /v1/tokens/{name}'])
    assert.is(needs.get(one), 'admin', one)
  for (const { method, path, needs: role, owner } of routes) {
    if (owner) assert.match(path, /^\/v1\/projects\/\{id\}/, path)
    if (owner) assert.is.not(role, 'admin', path)
    if (role === 'read') assert.is(method, 'GET', path)
  }
})

test.run()
