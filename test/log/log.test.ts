import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { actLine, membershipLine, refusalLine } from '../../daemon/log/lines.ts'
import { openLog } from '../../daemon/log/log.ts'
import { codeOf, StoreUnavailableError, TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { rejection } from '../contracts/values.ts'
import { refusingPuts, withDaemon } from '../support/daemon.ts'
import { eventually } from '../support/fuse.ts'
import { ask } from '../support/raw-http.ts'

const test = suite('the log')

interface Line {
  readonly level: string
  readonly event: string
  readonly msg: string
  readonly project?: string
  readonly request?: string
  readonly operation?: string
  readonly status?: number
  readonly route?: string
  readonly origin?: string
  readonly principal?: string
  readonly step?: string
  readonly call?: string
  readonly code?: string
  readonly bytes?: number
  readonly why?: string
  readonly phasesMs?: object
  readonly error?: { readonly code: string; readonly message: string; readonly stack?: string }
}

class Kept {
  readonly text: string[] = []

  at(level: string) {
    return openLog({ level, write: (line) => this.text.push(line) })
  }

  get lines(): Line[] {
    return this.text.map((line) => JSON.parse(line) as Line)
  }

  all(event: string): Line[] {
    return this.lines.filter((line) => line.event === event)
  }

  one(event: string): Line {
    const found = this.all(event)
    assert.is(found.length, 1, event)
    return found[0] as Line
  }
}

test('each act is one line with its operation, project, time and bytes; a failed one with why', async () => {
  const kept = new Kept()
  await withDaemon(
    async ({ client }) => {
      const post = <T = { realPath: string }>(path: string, body?: unknown): Promise<T> =>
        client.call<T>('POST', `/v1/projects${path}`, { body })
      const { realPath } = await post('', { id: 'home1' })
      await writeFile(join(realPath, 'file'), 'x'.repeat(5000))
      await post('/home1/save')
      await post('/home1/evict')
      await post('/home1/open')
      assert.is(codeOf(await rejection(post('/nobodys/save'), 'a save of nothing')), 'project-unknown')
    },
    { log: kept.at('info'), config: ['save: {interval: 1h}'] },
  )
  assert.ok(kept.text.every((line) => line.indexOf('\n') === line.length - 1))
  assert.ok(Number(kept.one('save').bytes) > 5000)
  assert.is(kept.one('save').project, 'home1')
  assert.is(kept.one('evict').why, 'asked')
  assert.equal(Object.keys(kept.one('open').phasesMs ?? {}), ['queue', 'plan', 'fetch', 'receive', 'mount'])
  assert.is(kept.one('save-failed').error?.code, 'project-unknown')
  assert.is(kept.one('save-failed').level, 'warn')
  const acts = ['create', 'save', 'evict', 'open', 'save-failed'].map((event) => kept.one(event))
  assert.is(new Set(acts.map(({ operation }) => operation)).size, 5)
  assert.is(new Set(acts.map(({ request }) => request)).size, 5)
  // Each is the line of an act and the one of its request.
  for (const { operation, request: asked } of acts) {
    const mine = kept.lines.filter((line) => line.operation === operation)
    assert.equal(
      mine.map((line) => line.request),
      [asked, asked],
    )
  }
})

test('at debug the commands, steps and failed calls of the store of an operation have its id and that of the request', async () => {
  const kept = new Kept()
  await withDaemon(
    async ({ client }) => {
      const headers = { 'x-request-id': 'mine-1' }
      const { realPath } = await client.call<{ realPath: string }>('POST', '/v1/projects', {
        body: { id: 'home1' },
      })
      await writeFile(join(realPath, 'file'), 'x'.repeat(5000))
      const { headers: told } = await client.request('POST', '/v1/projects/home1/save', { headers })
      const operation = String(told['tidepool-operation'])
      await client.call('GET', '/v1/projects/home1')
      const mine = kept.lines.filter((line) => line.request === 'mine-1')
      assert.equal(
        kept.lines.filter((line) => line.operation === operation),
        mine,
      )
      const of = (event: string): Line[] => mine.filter((line) => line.event === event)
      assert.ok(of('command').some(({ msg }) => /^zfs snapshot .*home1@/.test(msg)))
      assert.ok(of('command').some(({ msg }) => /^zfs send .*home1@/.test(msg)))
      assert.ok(of('step').some(({ step }) => step === 'commit'))
      assert.equal(
        of('store-call-failed').map(({ call, error }) => [call, error?.code]),
        [
          ['put', 'store-unavailable'],
          ['put', 'store-unavailable'],
        ],
      )
      assert.is(of('save').length, 1)
      const [asked] = of('request')
      assert.is(asked?.status, 200)
      assert.is(asked?.route, '/v1/projects/{id}/save')
      assert.is(asked?.project, 'home1')
      assert.is(asked?.principal, 'root')
      const looked = kept.all('request').find(({ route }) => route === '/v1/projects/{id}')
      assert.is(looked?.level, 'debug')
    },
    {
      log: kept.at('debug'),
      config: ['save: {interval: 1h}'],
      openStore: refusingPuts(2),
    },
  )
})

test('what nobody expected is a line with all of it, and an answer with nothing of it but the id of the request', async () => {
  const kept = new Kept()
  await withDaemon(
    async ({ daemon, socket }) => {
      Object.assign(daemon.engine, { inPool: () => Promise.reject(new RangeError('an inner detail')) })
      const page = new URL(daemon.pageLink ?? '')
      const cookie = `tidepool-${page.port}=${page.searchParams.get('token')}`
      const port = Number(page.port)
      for (const where of [{ socketPath: socket }, { port, headers: { host: page.host, cookie } }]) {
        const { status, json, headers } = await ask({ ...where, method: 'GET', path: '/v1/status' })
        assert.is(status, 500)
        assert.not.match(JSON.stringify(json), /inner detail|RangeError/)
        const [line] = kept.all('unexpected').filter(({ request }) => request === headers['x-request-id'])
        assert.is(line?.level, 'error')
        assert.is(line?.error?.message, 'an inner detail')
        assert.match(line?.error?.stack ?? '', /RangeError: an inner detail\n +at /)
      }
    },
    { log: kept.at('info'), config: ['page: {port: 0}'] },
  )
})

test('what was refused is a line with who asked for what, and no secret', async () => {
  const kept = new Kept()
  await withDaemon(
    async ({ ownersSocket }) => {
      const token = 'a-secret-that-is-wrong'
      const path = '/v1/projects/home1/save'
      const { status } = await ask({
        socketPath: ownersSocket,
        method: 'POST',
        path,
        token,
        headers: { 'x-request-id': 'his' },
      })
      assert.is(status, 401)
      const line = kept.one('refused')
      assert.is(line.level, 'warn')
      assert.is(line.request, 'his')
      assert.is(line.code, 'unauthenticated')
      assert.is(line.origin, 'owners socket')
      assert.not.match(kept.text.join(''), /a-secret/)
      assert.is(kept.all('request').length, 0)
    },
    { log: kept.at('debug') },
  )
})

test('a caller who has gone leaves a line too', async () => {
  const kept = new Kept()
  await withDaemon(
    async ({ socket }) => {
      const asked = request({ socketPath: socket, path: '/v1/events', agent: false })
      asked.on('error', () => {}).end()
      await once(asked, 'response')
      asked.destroy()
      await eventually('it is told', 5000, async () => kept.all('request').length > 0)
      assert.is(kept.one('request').status, 499)
    },
    { log: kept.at('debug') },
  )
})

test('the journal gets the priority of each line, and nothing below the level is written', () => {
  const text: string[] = []
  const log = openLog({ level: 'warn', journal: true, write: (line) => text.push(line) })
  log.info('calm')
  log.warn('look')
  membershipLine(log, { kind: 'lost', error: new TidepoolError('store-unavailable', 'no answer') })
  assert.equal(
    text.map((line) => line.slice(0, 4)),
    ['<4>{', '<3>{'],
  )
  assert.match(text[1] ?? '', /"code":"store-unavailable"/)
})

test('whatever an error says, it is one line without a control character, that the journal does not cut', () => {
  const kept = new Kept()
  const error = new StoreUnavailableError(`\u001b[31mred\u001b[0m\nsecond line\u0000${'x'.repeat(100_000)}`)
  const about = { what: 'save', id: projectId('p'), operation: 'o', atMs: 0, tookMs: 1 } as const
  actLine(kept.at('info'), { ...about, error })
  assert.match(kept.text[0] ?? '', /^[ -~…]+\n$/)
  assert.ok(Buffer.byteLength(kept.text[0] ?? '') < 48 * 1024)
})

test('a refused request is one line like any other, whatever was asked for', () => {
  const text: string[] = []
  const log = openLog({ level: 'info', write: (line) => text.push(line) })
  refusalLine(log, {
    listener: 'owners',
    origin: 'owners socket',
    principal: undefined,
    method: 'GET',
    path: '/v1/projects/p1\n{"level":"info"}',
    status: 401,
    code: 'unauthenticated',
    requestId: 'r1',
  })
  assert.is(text.length, 1)
  const { time: _, ...line } = JSON.parse(text[0] ?? '') as Record<string, unknown>
  assert.is(text[0]?.indexOf('\n'), (text[0]?.length ?? 0) - 1)
  assert.is(line.event, 'refused')
  assert.is(line.request, 'r1')
  assert.is(line.code, 'unauthenticated')
})

test.run()
