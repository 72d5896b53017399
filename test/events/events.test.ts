import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { HostEventView } from '../../daemon/client/types.ts'
import { Events } from '../../daemon/events/events.ts'
import { systemClock } from '../../pipeline/base/clock.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('events')

/** The next `count`, then it leaves. */
async function take<T>(from: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = []
  for await (const one of from) if (taken.push(one) === count) break
  return taken
}

const never = new AbortController().signal

test('a listener hears what comes, and one who comes back what he missed', async () => {
  const events = new Events({ clock: systemClock })
  events.tell('project-opened', 'before')
  const first = take(events.follow(undefined, never), 2)
  await Promise.resolve()
  events.tell('project-opened', 'a')
  events.tell('project-saved', 'a', { bytes: 5n })
  events.tell('project-closed', 'a')
  const [opened, saved] = await first
  assert.equal([opened?.kind, opened?.project, saved?.kind], ['project-opened', 'a', 'project-saved'])
  assert.equal(
    (await take(events.follow(saved?.id, never), 1)).map(({ kind }) => kind),
    ['project-closed'],
  )
})

test('what is no longer kept, and an id of another start, is told as a gap, and all that is kept follows', async () => {
  const events = new Events({ clock: systemClock, kept: 2 })
  events.tell('project-opened', '1')
  const id = events.recent[0]?.id
  for (const project of ['2', '3', '4', '5', '6', '7']) events.tell('project-opened', project)
  const after = await take(events.follow(id, never), 3)
  assert.is(after[0]?.kind, 'gap')
  assert.ok(after[1]?.kind === 'project-opened' && Number(after[1].project) > 2)
  const stranger = await take(events.follow('0123456789ab-7', never), 2)
  assert.equal([stranger[0]?.kind, stranger[1]?.kind], ['gap', 'project-opened'])
  assert.is(events.recent.length, 2)
})

test('a listener who stands still is told of the gap when he goes on', async () => {
  const events = new Events({ clock: systemClock, kept: 2 })
  const slow = events.follow(undefined, never)
  const first = slow.next()
  events.tell('project-opened', '1')
  await first
  for (let n = 2; n < 20; n++) events.tell('project-opened', String(n))
  assert.is((await slow.next()).value?.kind, 'gap')
  const seen = await slow.next()
  assert.ok(Number(seen.value?.project) >= 16)
  await slow.return(undefined)
})

test('the end of the daemon, and the signal, end a listener', async () => {
  const events = new Events({ clock: systemClock })
  const gone = new AbortController()
  const one = take(events.follow(undefined, gone.signal), 9)
  const other = take(events.follow(undefined, never), 9)
  await Promise.resolve()
  gone.abort()
  assert.equal(await one, [])
  events.tell('daemon-stopping', null)
  events.end()
  assert.equal(
    (await other).map(({ kind }) => kind),
    ['daemon-stopping'],
  )
})

test('what is done with a project is heard over the API, with its operation', () =>
  withDaemon(async ({ client }) => {
    const gone = new AbortController()
    const { events: before } = await client.call<{ events: HostEventView[] }>('GET', '/v1/events/recent')
    assert.ok(before.some(({ kind }) => kind === 'daemon-started'))
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    await client.call('POST', '/v1/projects/p/save')
    await client.call('POST', '/v1/projects/p/evict')
    const heard = await take(client.events({ after: before.at(-1)?.id, signal: gone.signal }), 9)
    assert.equal(
      heard.map(({ kind, project }) => `${kind} ${project}`),
      [
        'operation-started p',
        'project-created p',
        'operation-ended p',
        'operation-started p',
        'project-saved p',
        'operation-ended p',
        'operation-started p',
        'project-evicted p',
        'operation-ended p',
      ],
    )
    assert.is(heard[0]?.operation, heard[2]?.operation)
    assert.is(heard[2]?.state, 'done')
  }))

test('a client goes on over a restart of the daemon, and is told what is not known any more', () =>
  withDaemon(async ({ client, daemon, again }) => {
    const heard: string[] = []
    const gone = new AbortController()
    const listening = (async () => {
      for await (const { kind, project } of client.events({ signal: gone.signal })) {
        heard.push(kind)
        if (project === 'after') break
      }
    })()
    await client.call('POST', '/v1/projects', { body: { id: 'before' } })
    for (const end = Date.now() + 10_000; Date.now() < end && !heard.includes('project-created'); )
      await new Promise((go) => setTimeout(go, 10))
    await daemon.stop()
    const next = await again()
    await client.call('POST', '/v1/projects', { body: { id: 'after' } })
    await listening
    assert.ok(heard.includes('daemon-stopping'), heard.join())
    assert.ok(heard.indexOf('gap') > heard.indexOf('daemon-stopping'), heard.join())
    await next.stop()
  }))

test('a reader who takes nothing does not keep the daemon from stopping', () =>
  withDaemon(async ({ socket, daemon }) => {
    const deaf = connect(socket)
    deaf.pause()
    deaf.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((go) => setTimeout(go, 50))
    const big = 'x'.repeat(400)
    for (let n = 0; n < 20_000; n++) daemon.journal.events.tell('save-failed', 'p', { why: big, n })
    await daemon.stop()
    assert.ok(daemon.journal.events.recent.length <= 4096)
    deaf.destroy()
  }))

test.run()
