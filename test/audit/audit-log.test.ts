import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AuditEntry, AuditLog } from '../../daemon/audit/audit-log.ts'
import { TokenUse } from '../../daemon/auth/token-use.ts'
import { endpointFileOf } from '../../daemon/daemon.ts'
import { Journal } from '../../daemon/journal.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { rejection } from '../contracts/values.ts'
import { withDaemon } from '../support/daemon.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { ask } from '../support/raw-http.ts'
import { within } from '../support/within.ts'

const test = suite('audit log')

const entry = (what: string): AuditEntry => ({
  what,
  project: 'p',
  principal: 'root',
  origin: 'socket',
  operation: null,
  result: 'done',
})

const read = async (path: string): Promise<Record<string, unknown>[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

async function withPath(body: (path: string) => Promise<void>): Promise<void> {
  const directory = await temporaryDirectory()
  try {
    await body(join(directory.path, 'audit.log'))
  } finally {
    await directory.remove()
  }
}

test('each entry is a line, for root alone, behind what was there', () =>
  withPath(async (path) => {
    // An earlier start died in the middle of a line.
    await writeFile(path, '{"what":"op')
    const log = new AuditLog(path, () => Date.UTC(2026, 0, 1))
    log.note(entry('open'))
    await log.require(entry('destroy'))
    await log.close()
    const [torn, ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n')
    assert.is(torn, '{"what":"op')
    assert.equal(
      lines.map((line) => [JSON.parse(line).at, JSON.parse(line).what]),
      [
        ['2026-01-01T00:00:00.000Z', 'open'],
        ['2026-01-01T00:00:00.000Z', 'destroy'],
      ],
    )
  }))

test('a file that is made is root’s with mode 0600, and one that was renamed is let go', () =>
  withPath(async (directory) => {
    const path = join(directory, 'made', 'audit.log')
    const log = new AuditLog(path)
    await log.require(entry('first'))
    assert.is((await stat(path)).mode & 0o777, 0o600)
    await rename(path, `${path}.1`)
    await log.require(entry('second'))
    await log.close()
    assert.equal(
      (await read(`${path}.1`)).map(({ what }) => what),
      ['first'],
    )
    assert.equal(
      (await read(path)).map(({ what }) => what),
      ['second'],
    )
  }))

test('what can’t be written is counted, and told when there is room again', () =>
  withPath(async (path) => {
    await mkdir(path)
    const log = new AuditLog(path)
    log.note(entry('open'))
    assert.is(codeOf(await rejection(log.require(entry('destroy')), 'it can’t')), 'audit-failed')
    assert.is(log.lost.count, 2)
    await rm(path, { recursive: true })
    log.note(entry('save'))
    log.note(entry('evict'))
    await log.close()
    assert.equal(
      (await read(path)).map(({ what, entries }) => [what, entries]),
      [
        ['lost', 2],
        ['save', undefined],
        ['evict', undefined],
      ],
    )
  }))

test('a full disk is such a case', async () => {
  const log = new AuditLog('/dev/full')
  const refused = await rejection<Error>(log.require(entry('destroy')), 'there is no room')
  assert.is(codeOf(refused), 'audit-failed')
  assert.match(refused.message, /ENOSPC/)
  log.note(entry('open'))
  await log.close()
  assert.is(log.lost.count, 2)
})

test('the daemon logs who did what, with the operation and how it ended', () =>
  withDaemon(async ({ client, daemon }) => {
    const made = await client.request('POST', '/v1/projects', { body: { id: 'p' } })
    await client.call('PUT', '/v1/projects/p/quota', { body: { quotaBytes: '20000000' } })
    await client.call('PUT', '/v1/projects/p/properties', { body: { properties: { readonly: 'on' } } })
    await rejection(client.call('POST', '/v1/projects/p/move', { body: { to: 'nowhere' } }), 'no such host')
    await client.call('POST', '/v1/projects/p/close')
    await daemon.opens.open('p' as never)
    await client.call('POST', '/v1/projects/p/destroy')
    await rejection(daemon.opens.open('nope' as never), 'a touch of nothing')
    await rejection(daemon.opens.open('p' as never), 'a touch of what is destroyed')
    await daemon.stop()
    const lines = await read(daemon.journal.audit.path)
    assert.equal(
      lines.map(({ what, result, principal, code }) => [what, result, principal, code]),
      [
        ['create', 'done', 'root', undefined],
        ['quota', 'done', 'root', undefined],
        ['set', 'done', 'root', undefined],
        ['move', 'failed', 'root', 'host-unknown'],
        ['open', 'done', 'a touch', undefined],
        ['destroy', 'begun', 'root', undefined],
        ['destroy', 'done', 'root', undefined],
        ['open', 'failed', 'a touch', lines[7]?.code],
      ],
    )
    assert.is(lines[0]?.operation, made.headers['tidepool-operation'])
  }))

test('a token that is used over TCP is logged with where it came from, once an hour; so is each word that reaches far', () =>
  withDaemon(
    async ({ client, config, daemon }) => {
      const { secret } = await client.call<{ secret: string }>('POST', '/v1/tokens', {
        body: { name: 'monitor', role: 'read' },
      })
      const { url } = JSON.parse(await readFile(endpointFileOf(config), 'utf8')) as { url: string }
      const where = { port: Number(new URL(url).port), method: 'GET', path: '/v1/status', token: secret }
      for (let times = 0; times < 3; times++) assert.is((await ask(where)).status, 200)
      await client.call('POST', '/v1/projects', { body: { id: 'p' } })
      await client.call('POST', '/v1/projects/p/kill-and-close', { body: {} })
      const host = { path: `/v1/hosts/${daemon.engine.host.host}/dead` }
      await rejection(client.call('POST', host.path), 'it lives')
      await client.call('POST', '/v1/drain')
      const { path } = daemon.journal.audit
      await within(
        10_000,
        async () => (await readFile(path, 'utf8')).includes('"evict"'),
        'what it had has left',
      )
      await client.call('POST', '/v1/undrain')
      await daemon.stop()
      const text = await readFile(path, 'utf8')
      assert.not.match(text, secret)
      const lines = await read(path)
      assert.equal(
        lines.map(({ what, result, principal, origin }) => [what, result, principal, origin]),
        [
          ['token-create', 'begun', 'root', 'root socket'],
          ['token-create', 'done', 'root', 'root socket'],
          ['token-use', 'done', 'token:monitor', '127.0.0.1'],
          ['create', 'done', 'root', 'root socket'],
          ['kill-and-close', 'done', 'root', 'root socket'],
          ['host-dead', 'failed', 'root', 'root socket'],
          ['drain', 'done', 'root', 'root socket'],
          ['evict', 'done', 'the daemon', 'sweep'],
          ['undrain', 'done', 'root', 'root socket'],
        ],
      )
      let nowMs = 0
      const uses = new TokenUse(() => nowMs)
      assert.equal([uses.note('a', 'x'), uses.note('a', 'x'), uses.note('a', 'y')], [true, false, true])
      nowMs = 3_600_000
      assert.ok(uses.note('a', 'x'))
    },
    { config: ['listen: {port: 0}'] },
  ))

test('what left the pool by itself is logged as the daemon’s doing', () =>
  withPath(async (path) => {
    const journal = new Journal(path)
    const act = { what: 'evict', operation: 'o', atMs: 0, tookMs: 1, bytes: 5n } as const
    journal.act({ ...act, id: projectId('p'), byItself: false })
    journal.act({ ...act, id: projectId('q'), byItself: true })
    journal.act({ ...act, id: projectId('r'), byItself: true, error: new Error('no') })
    await journal.audit.close()
    assert.equal(
      (await read(path)).map(({ what, project, principal }) => [what, project, principal]),
      [['evict', 'q', 'the daemon']],
    )
  }))

test('where it can’t be logged a destroy is refused, and all else goes on', () =>
  withDaemon(async ({ client, daemon }) => {
    await mkdir(daemon.journal.audit.path, { recursive: true })
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    const refused = await rejection(client.call('POST', '/v1/projects/p/destroy'), 'it is not logged')
    assert.is(codeOf(refused), 'audit-failed')
    await client.call('POST', '/v1/projects/p/close')
    await client.call('POST', '/v1/projects/p/open')
    const { auditLost } = await client.call<{ auditLost: number }>('GET', '/v1/status')
    assert.ok(auditLost >= 3, String(auditLost))
  }))

test.run()
