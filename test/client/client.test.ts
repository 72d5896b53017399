import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Client } from '../../daemon/client/index.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { rejection } from '../contracts/values.ts'
import { withDaemon } from '../support/daemon.ts'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('client')

async function withSocket(body: (socket: string) => Promise<void>): Promise<void> {
  const directory = await temporaryDirectory()
  try {
    await body(join(directory.path, 'sock'))
  } finally {
    await directory.remove()
  }
}

/** Answers as it is told to, one request after the other. */
async function listen(
  socket: string,
  ...answers: ('cut' | 'silent' | object)[]
): Promise<Server & { asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const answer = answers.shift() ?? 'silent'
    if (answer === 'cut') request.socket.destroy()
    else if (answer !== 'silent') response.end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  return Object.assign(server, { asked })
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

test('what may be asked twice is asked again where the daemon left, and nothing else', () =>
  withSocket(async (socket) => {
    const server = await listen(socket, 'cut', { n: 1 }, 'cut', 'cut', { n: 2 }, 'cut', { n: 3 })
    const client = new Client({ socket, limitMs: 10_000 })
    assert.equal(await client.call('GET', '/a'), { n: 1 })
    assert.is(codeOf(await rejection(client.call('POST', '/b'), 'it may have been done')), 'daemon-left')
    assert.equal(await client.call('POST', '/c', { headers: { 'idempotency-key': 'k' } }), { n: 2 })
    assert.equal(await client.projects.save('p'), { n: 3 })
    await close(server)
  }))

test('a daemon that was there is waited for, one that never was is not, and no wait is for ever', () =>
  withSocket(async (socket) => {
    const client = new Client({ socket, limitMs: 10_000, restartMs: 10_000 })
    assert.is(codeOf(await rejection(client.call('GET', '/a'), 'nobody')), 'daemon-missing')
    const first = await listen(socket, { n: 1 })
    await client.call('GET', '/a')
    await close(first)
    // Nothing was asked of who was missing, so this may wait too.
    const waiting = client.call('POST', '/b')
    const second = await listen(socket, { n: 2 })
    assert.equal(await waiting, { n: 2 })
    await close(second)
    const hasty = new Client({ socket, restartMs: 100 })
    const third = await listen(socket, 'cut')
    const failing = rejection(hasty.call('GET', '/a'), 'it stays away')
    while (third.asked.length === 0) await new Promise((go) => setTimeout(go, 5))
    await close(third)
    assert.match(String(codeOf(await failing)), /^daemon-(missing|left)$/)
  }))

test('a daemon that is silent is left at the deadline, or when the caller says so', () =>
  withSocket(async (socket) => {
    const server = await listen(socket)
    const late = rejection(new Client({ socket, limitMs: 100 }).call('GET', '/a'), 'it is silent')
    assert.is(codeOf(await late), 'daemon-late')
    const gone = new AbortController()
    const client = new Client({ socket })
    const left = rejection<Error>(client.call('GET', '/a', { signal: gone.signal }), 'he left')
    const listening = rejection<Error>(client.events({ signal: gone.signal }).next(), 'he left')
    gone.abort(new Error('enough'))
    assert.is((await left).message, 'enough')
    assert.is((await listening).message, 'enough')
    const silent = client.events({ silenceLimitMs: 100 }).next()
    assert.is(codeOf(await rejection(silent, 'nothing comes')), 'daemon-left')
    await close(server)
  }))

test('events end with an error where no daemon comes back for too long', () =>
  withDaemon(async ({ client, daemon, again }) => {
    const events = client.events({ giveUpAfterMs: 200 })
    const next = events.next()
    next.catch(() => {})
    await client.projects.create('p')
    assert.is((await next).value?.project, 'p')
    await daemon.stop()
    const end = rejection(
      (async () => {
        for await (const _ of events);
      })(),
      'nobody comes back',
    )
    assert.match(String(codeOf(await end)), /^daemon-(missing|left)$/)
    await (await again()).stop()
  }))

test('the verbs of a project, typed', () =>
  withDaemon(async ({ client: { projects } }) => {
    const made = await projects.create('p', { quotaBytes: 20_000_000n, owner: { uid: 1000, gid: 1000 } })
    assert.is(made.quotaBytes, '20000000')
    assert.is((await projects.setQuota('p', null)).quotaBytes, null)
    const set = await projects.setProperties('p', { compression: 'gzip', readonly: null })
    assert.equal(set.properties, { compression: 'gzip' })
    const saved = await projects.save('p')
    assert.is((await projects.rollBack('p', saved.point)).head, saved.point)
    assert.is((await projects.restore('p', { point: saved.point })).point, saved.point)
    assert.is((await projects.evict('p')).point, saved.point)
    assert.is((await projects.open('p')).id, 'p')
    assert.is((await projects.close('p')).owner, null)
    await projects.destroy('p')
    await projects.undelete('p')
    assert.is((await projects.get('p')).state, 'live')
    assert.is(codeOf(await rejection(projects.move('p', 'nowhere'), 'no such host')), 'host-unknown')
  }))

test.run()
