/** Streams of events as any program reads them, over a plain connection: gone on with by their ids, and refused where there are too many. */
import { request } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withDaemon } from '../support/daemon.ts'
import { eventually } from '../support/fuse.ts'

const test = suite('events over plain HTTP')

interface Reader {
  readonly status: number
  readonly requestId: string
  readonly text: () => string
  readonly leave: () => void
}

function read(socketPath: string, path: string, lastEventId?: string): Promise<Reader> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, headers, agent: false, timeout: 5000 }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('error', () => {}) // we leave
      resolve({
        status: response.statusCode ?? 0,
        requestId: String(response.headers['x-request-id']),
        text: () => text,
        leave: () => asked.destroy(),
      })
    })
    asked.on('error', reject)
    asked.once('timeout', () => asked.destroy(new Error('no answer')))
    asked.end()
  })
}

const idsIn = (text: string): string[] => [...text.matchAll(/^id: (.*)$/gm)].map(([, id = '']) => id)

test('who comes back with the id of the last event that he had is told what came after it, and nothing twice', () =>
  withDaemon(async ({ client, socket }) => {
    const first = await read(socket, '/v1/events')
    assert.match(first.requestId, /^[0-9a-f-]{36}$/)
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    await eventually('it is told', 5000, async () => first.text().includes('event: operation-ended'))
    first.leave()
    const had = idsIn(first.text())
    await client.call('POST', '/v1/projects/p/close')
    const again = await read(socket, '/v1/events', had.at(-1))
    await eventually('what was missed comes', 5000, async () =>
      again.text().includes('event: operation-ended'),
    )
    again.leave()
    const came = idsIn(again.text())
    assert.equal(
      came.filter((id) => had.includes(id)),
      [],
    )
    assert.match(again.text(), /"verb":"close"/)
    assert.not.match(again.text(), /event: gap/)
    const lost = await read(socket, '/v1/events', 'of-another-start')
    await eventually('the gap is told', 5000, async () => lost.text().includes('event: gap'))
    lost.leave()
  }))

test('the events of an operation go on from an id too, and end with it', () =>
  withDaemon(async ({ client, socket }) => {
    const { id } = await client.begin('/v1/projects', { body: { id: 'p' } })
    const path = `/v1/operations/${id}/events`
    const first = await read(socket, path)
    await eventually('it ends', 10_000, async () => first.text().includes('event: ended'))
    const last = idsIn(first.text()).at(-1)
    const again = await read(socket, path, last)
    await eventually('the end is told again', 5000, async () => again.text().includes('event: ended'))
    assert.equal(idsIn(again.text()), [last])
  }))

test('one reader too many is answered, and has a place when another has left', () =>
  withDaemon(async ({ socket, client }) => {
    const readers: Reader[] = []
    const warnings: string[] = []
    const warned = ({ name }: Error): void => void warnings.push(name)
    process.on('warning', warned)
    try {
      for (let n = 0; n < 200; n++) readers.push(await read(socket, '/v1/events'))
      const refused = await read(socket, '/v1/events')
      assert.is(refused.status, 503)
      await eventually('it is told why', 5000, async () => refused.text().includes('streams-full'))
      assert.equal(await client.call('GET', '/v1/ready'), { ready: true })
      readers.pop()?.leave()
      await eventually('there is a place', 5000, async () => {
        const one = await read(socket, '/v1/events')
        if (one.status === 200) readers.push(one)
        return one.status === 200
      })
    } finally {
      for (const one of readers) one.leave()
      process.off('warning', warned)
    }
    assert.equal(warnings, [], 'so many are no leak, and nothing is said in the log')
  }))

test.run()
