import { EventEmitter } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failures, originOf } from '../../daemon/auth/failures.ts'
import { ownersDirectoryOf } from '../../daemon/auth/owners.ts'
import { Silent } from '../../daemon/control/silent.ts'
import { endpointFileOf } from '../../daemon/daemon.ts'
import { type DaemonSetting, withDaemon } from '../support/daemon.ts'
import { type Ask, ask } from '../support/raw-http.ts'

const test = suite('what is refused')

const TRICKS = [
  '..',
  '%2e%2e',
  '..%2f..%2fetc',
  'p%2f..%2fq',
  'a%00b',
  'a%0ab',
  'a%0d%0aX-Y:%20z',
  'P',
  '-p',
  '%ff',
  'x'.repeat(300),
  'x'.repeat(400),
]

const TCP = { config: ['listen: {port: 0}'] }

interface Where extends Pick<Ask, 'socketPath' | 'port' | 'token'> {
  readonly listener: string
}

/** Each way in, as somebody who may ask about the project `p`. */
async function ways({ client, config, socket, ownersSocket }: DaemonSetting): Promise<readonly Where[]> {
  const owner = { uid: process.getuid?.() || 1000, gid: process.getgid?.() || 1000 }
  await client.call('POST', '/v1/projects', { body: { id: 'p', owner } })
  const { secret } = await client.call<{ secret: string }>('POST', '/v1/tokens', {
    body: { name: 'all', role: 'admin' },
  })
  const { url } = JSON.parse(await readFile(endpointFileOf(config), 'utf8')) as { url: string }
  return [
    { listener: 'root', socketPath: socket },
    {
      listener: 'owners',
      socketPath: ownersSocket,
      token: await readFile(join(ownersDirectoryOf(config.run), 'p'), 'utf8'),
    },
    { listener: 'tcp', port: Number(new URL(url).port), token: secret },
  ]
}

test('tricks in ids are refused wherever one asks, and written down', () =>
  withDaemon(
    async (setting) => {
      for (const { listener, ...where } of await ways(setting)) {
        assert.is((await ask({ ...where, method: 'GET', path: '/v1/projects/p' })).status, 200, listener)
        // Fewer than an origin may be refused in a minute.
        for (const trick of TRICKS) {
          const before = setting.refusals.length
          const answer = await ask({ ...where, method: 'POST', path: `/v1/projects/${trick}/open` })
          assert.ok([400, 401, 403, 404].includes(answer.status), `${listener} ${trick}: ${answer.status}`)
          const told = setting.refusals.slice(before)
          assert.is(told.length, 1, `${listener} ${trick}`)
          assert.equal([told[0]?.listener, told[0]?.status], [listener, answer.status])
          assert.is(told[0]?.requestId, answer.headers['x-request-id'])
          assert.not.match(JSON.stringify(told[0]?.path), /[\n\r\0]/)
        }
      }
      assert.equal(await setting.client.call('GET', '/v1/ready'), { ready: true })
    },
    { config: ['listen: {port: 0}'] },
  ))

test('what is no HTTP is answered, written down and ended, and an id that was given comes back', () =>
  withDaemon(async ({ socket, refusals }) => {
    for (const text of [
      'GET /v1/projects/a\0b HTTP/1.1\r\n\r\n',
      'GET /v1 /x HTTP/1.1\r\n\r\n',
      '\x16\x03\x01\r\n\r\n',
    ]) {
      const before = refusals.length
      assert.match(await raw(socket, text), /^HTTP\/1.1 400 .*"bad-http"/s, JSON.stringify(text))
      assert.is(refusals.length, before + 1)
    }
    const asked = { socketPath: socket, method: 'GET', path: '/v1/ready' }
    const given = await ask({ ...asked, headers: { 'x-request-id': 'job-7.a_b' } })
    assert.is(given.headers['x-request-id'], 'job-7.a_b')
    for (const bad of ['a b', 'x'.repeat(65), '"']) {
      const { headers } = await ask({ ...asked, headers: { 'x-request-id': bad } })
      assert.match(String(headers['x-request-id']), /^[0-9a-f-]{36}$/, bad)
    }
  }))

test('whoever holds as many connections of the owners’ socket as he can keeps nobody from his answer', () =>
  withDaemon(async (setting) => {
    const { ownersSocket, client } = setting
    const [, owners] = await ways(setting)
    const held = new Set<Socket>()
    let more = true
    const hold = (): void => {
      const one = connect(ownersSocket).on('error', () => {})
      held.add(one)
      one.once('close', () => {
        held.delete(one)
        if (more) setTimeout(hold, 100)
      })
    }
    try {
      for (let i = 0; i < 520; i++) {
        hold()
        // More at once than the kernel lets wait is no connection.
        if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
      }
      assert.ok(held.size > 100, String(held.size))
      for (let times = 0; times < 5; times++) {
        const mine = await ask({ ...(owners as Where), method: 'GET', path: '/v1/projects/p' })
        assert.is(mine.status, 200, 'the owner is served')
        assert.equal(await client.call('GET', '/v1/ready'), { ready: true })
      }
    } finally {
      more = false
      for (const one of held) one.destroy()
    }
  }, TCP))

test('a stranger’s silent connection is ended within seconds, one over which an owner waits is not', () =>
  withDaemon(async (setting) => {
    const [, owners] = await ways(setting)
    const silent = connect(setting.ownersSocket)
    const began = performance.now()
    await new Promise((resolve) => silent.resume().once('close', resolve))
    assert.ok(performance.now() - began < 8000, 'within seconds')
    assert.is((await ask({ ...(owners as Where), method: 'POST', path: '/v1/projects/p/save' })).status, 200)
  }, TCP))

test('the oldest silent one makes room, and not before what came with it is read; what asks stays', async () => {
  const ended: string[] = []
  const socket = (name: string) => {
    const one = new EventEmitter() as unknown as Socket
    one.destroy = () => {
      ended.push(name)
      return one
    }
    return one
  }
  const silent = new Silent(2)
  const turns = () => new Promise((resolve) => setTimeout(resolve, 20))
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(socket) as [Socket, Socket, Socket, Socket]
  for (const one of [a, b, c]) silent.add(one)
  silent.asks(a)
  await turns()
  assert.equal(ended, [])
  silent.answered(a)
  assert.equal(ended, [])
  await turns()
  assert.equal(ended, ['b'])
  c.emit('close')
  silent.add(d)
  await turns()
  assert.equal(ended, ['b'], 'what was closed needs no room')
})

test('an origin is one address, of IPv6 one network, and is forgiven after a minute', () => {
  assert.is(originOf('192.0.2.1'), '192.0.2.1')
  assert.is(originOf('::ffff:192.0.2.1'), '192.0.2.1')
  assert.is(originOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.is(originOf('2001:db8:1:2::9'), '2001:db8:1:2::/64')
  assert.is(originOf('2001:db8::9'), originOf('2001:db8:0:0:7::9'))
  assert.is(originOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  let nowMs = 0
  const failures = new Failures(() => nowMs)
  for (let i = 0; i < 20; i++) assert.equal(failures.note('a'), { waitMs: 0, tell: true })
  assert.equal(failures.note('a'), { waitMs: 60_000, tell: true })
  nowMs = 20_000
  assert.equal(failures.note('a'), { waitMs: 40_000, tell: false })
  assert.equal(failures.note('b'), { waitMs: 0, tell: true })
  nowMs = 60_000
  assert.equal(failures.note('a'), { waitMs: 0, tell: true })
  for (let i = 0; i < 20_000; i++) failures.note(`10.0.${i >> 8}.${i & 255}`)
  assert.equal(failures.note('a'), { waitMs: 0, tell: true })
})

function raw(path: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    let got = ''
    const socket = connect(path, () => socket.write(text))
    socket.on('data', (part) => {
      got += part
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve(got))
  })
}

test.run()
