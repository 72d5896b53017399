import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { membershipLine, refusalLine } from '../../daemon/log/lines.ts'
import { openLog } from '../../daemon/log/log.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { rejection } from '../contracts/values.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('the log')

interface Line {
  readonly level: string
  readonly event: string
  readonly project?: string
  readonly operation?: string
  readonly bytes?: number
  readonly why?: string
  readonly phasesMs?: object
  readonly error?: { readonly code: string }
}

test('each act is one line with its operation, project, time and bytes; a failed one with why', async () => {
  const text: string[] = []
  const log = openLog({ level: 'info', write: (line) => text.push(line) })
  await withDaemon(
    async ({ client }) => {
      const post = <T = { realPath: string }>(path: string, body?: unknown): Promise<T> =>
        client.call<T>('POST', `/v1/projects${path}`, { body })
      const { realPath } = await post('', { id: 'home1' })
      await writeFile(join(realPath, 'file'), 'x'.repeat(5000))
      await post('/home1/save')
      await post('/home1/evict')
      await post('/home1/open')
      assert.is(codeOf(await rejection(post('/nobodys/save'), 'a save of nothing')), 'not-resident')
    },
    { log, config: ['save: {interval: 1h}'] },
  )
  assert.ok(text.every((line) => line.indexOf('\n') === line.length - 1))
  const lines = text.map((line) => JSON.parse(line) as Line)
  const of = (event: string): Line => {
    const found = lines.filter((line) => line.event === event)
    assert.is(found.length, 1, event)
    return found[0]!
  }
  assert.ok(Number(of('save').bytes) > 5000)
  assert.is(of('save').project, 'home1')
  assert.is(of('evict').why, 'asked')
  assert.equal(Object.keys(of('open').phasesMs ?? {}), ['queue', 'plan', 'fetch', 'receive', 'mount'])
  assert.is(of('save-failed').error?.code, 'not-resident')
  assert.is(of('save-failed').level, 'warn')
  const operations = lines.flatMap(({ operation }) => operation ?? [])
  assert.is(new Set(operations).size, operations.length)
  assert.is(operations.length, 5)
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
