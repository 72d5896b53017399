import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  EventStream,
  type EventStreamOptions,
  EventStreams,
  type Frame,
} from '../../daemon/control/event-stream.ts'
import { codeOf } from '../../pipeline/base/errors.ts'

const test = suite('event streams')

/** Serves the frames to one reader; resolves with what the sending came to, and what was read. */
async function served(
  frames: EventStream['frames'],
  options: EventStreamOptions,
  read: (socket: ReturnType<typeof connect>) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  const streams = new EventStreams(options)
  let text = ''
  const sent = new Promise<void>((resolve, reject) => {
    const server = createServer((_request, response) => {
      streams
        .send(new EventStream(frames), response, signal)
        .then(resolve, reject)
        .finally(() => server.close())
    })
    server.listen(0, '127.0.0.1', () => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      sent.finally(() => setTimeout(() => socket.destroy(), 20)).catch(() => {})
      socket.on('data', (part) => {
        text += part
      })
      read(socket)
    })
  })
  await sent
  for (let turns = 0; turns < 50 && !text.includes('ended'); turns++)
    await new Promise((go) => setTimeout(go, 5))
  return text
}

const frame = (id: number, event: string, data: object = {}): Frame => ({ id: String(id), event, data })

test('each frame has an id, and while nothing happens a comment says that somebody is there', async () => {
  const text = await served(
    async function* () {
      yield frame(1, 'one', { bytes: 5n })
      await new Promise((go) => setTimeout(go, 60))
      yield frame(2, 'ended')
    },
    { heartbeatMs: 10 },
    () => {},
  )
  assert.match(text, /text\/event-stream/)
  assert.match(text, /id: 1\nevent: one\ndata: \{"bytes":"5"\}\n\n/)
  assert.match(text, /\n: \n\n[\s\S]*id: 2\nevent: ended/)
})

test('a reader who takes nothing is cut off, and no more is made for him than fits on the way', async () => {
  let made = 0
  await served(
    async function* () {
      for (;;) yield frame(++made, 'big', { text: 'x'.repeat(100_000) })
    },
    { drainLimitMs: 100 },
    (socket) => socket.pause(),
  )
  assert.ok(made < 1000, `${made} frames of 100 kB were made`)
})

test('a source that fails, and the end of the daemon, end it; too many readers are refused', async () => {
  await served(
    async function* () {
      yield frame(1, 'ended')
      throw new Error('it failed')
    },
    {},
    () => {},
  )
  const gone = new AbortController()
  setTimeout(() => gone.abort(), 30)
  await served(
    async function* (signal) {
      yield frame(1, 'ended')
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
    {},
    () => {},
    gone.signal,
  )
  const refused = (): void => new EventStreams({ max: 0 }).checkRoom()
  assert.throws(refused, (error: unknown) => codeOf(error) === 'streams-full')
})

test.run()
