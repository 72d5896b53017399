/** Requests as nobody should send them: of known routes with wrong parts, and of bytes that are no HTTP at all. */
import { connect } from 'node:net'
import { bytes, chance, int, pick, type Random } from './random.ts'

export interface Malformed {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
}

/** What stands where an id, a point or a name is meant; two of them are projects. */
const WORDS = [
  '',
  'p',
  'q',
  '..',
  '%2e%2e',
  '..%2f..%2fetc',
  '%00',
  '%0a',
  'x'.repeat(300),
  'x'.repeat(4000),
  '%',
  '%ff',
  '__proto__',
  'constructor',
  '-1',
  '1e9',
  '18446744073709551616',
  '00000000-0000-4000-8000-000000000000',
  '[',
]

const HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  { 'idempotency-key': 'x'.repeat(300) },
  { 'idempotency-key': 'one' },
  { 'last-event-id': '__proto__' },
  { 'x-request-id': '../../etc' },
  { 'content-type': 'application/json; charset=nonsense' },
  { 'content-type': '' },
  { expect: '200-maybe' },
  { prefer: 'respond-async, respond-async' },
  { range: 'bytes=0-' },
  { upgrade: 'h2c', connection: 'upgrade' },
]

/** Of a route that is there, with something in each place that does not belong there. */
export function malformedRequest(
  random: Random,
  routes: readonly { readonly method: string; readonly path: string }[],
): Malformed {
  const { method, path } = pick(random, routes)
  const filled = path.replace(/\{\w+\}/g, () => pick(random, WORDS))
  const query = chance(random, 0.1) ? `?${pick(random, WORDS)}=${pick(random, WORDS)}` : ''
  return {
    method: chance(random, 0.1) ? pick(random, ['PATCH', 'OPTIONS', 'TRACE', 'HEAD']) : method,
    path: `${filled}${query}`,
    headers: pick(random, HEADERS),
    body: method === 'GET' ? undefined : malformedBody(random),
  }
}

function malformedBody(random: Random): Buffer | undefined {
  const word = (): string => pick(random, WORDS)
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
  return pick(random, [
    () => undefined,
    () => bytes(random, int(random, 0, 300)),
    () => Buffer.from('{"point":'),
    () => Buffer.from('{"__proto__":{"id":"p"},"id":"q","id":"p"}'),
    () => json({ id: word(), quotaBytes: -1, extra: { a: [] } }),
    () => json({ id: word(), owner: { uid: -1, gid: 2 ** 40 }, properties: { [word()]: word() } }),
    () => json({ point: word(), points: 'all', to: 5, local: 'x', at: 0 }),
    () => json({ name: word(), role: word(), depth: word(), withinMs: 0, graceMs: -1, since: word() }),
    () => Buffer.from('[]'),
    () => Buffer.from('['.repeat(20_000)),
    () => Buffer.alloc(70_000, 'x'),
  ])()
}

const LINES = [
  'GET /v1/ready HTTP/1.1',
  'GET //[ HTTP/1.1',
  'GET http://[/ HTTP/1.1',
  'GET /v1/projects/p/../q HTTP/1.1',
  'GET /v1/projects/%zz HTTP/1.1',
  'POST /v1/projects HTTP/1.1',
  'POST /v1/projects/p/save HTTP/9.9',
  'CONNECT p:1 HTTP/1.1',
  'PRI * HTTP/2.0',
  'GET  HTTP/1.1',
  'a\0b',
]

const FIELDS = [
  'Host: x',
  'Host:',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Content-Length: 3\r\nContent-Length: 4',
  'Transfer-Encoding: chunked\r\n\r\nzz\r\n',
  'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
  'Authorization: Bearer',
  `Authorization: Bearer ${'x'.repeat(9000)}`,
  `X: ${'x'.repeat(20_000)}`,
  'X: a\0b',
  ' folded',
  ':',
]

/** Not all of it is HTTP. `host` is a name under which the other side would answer. */
export function malformedBytes(random: Random, host = 'localhost'): Buffer {
  if (chance(random, 0.2)) return bytes(random, int(random, 1, 2000))
  const fields = Array.from({ length: int(random, 0, 2) }, () => pick(random, FIELDS))
  if (chance(random, 0.7)) fields.unshift(`Host: ${host}`)
  const text = [pick(random, LINES), ...fields, '', chance(random, 0.3) ? 'more' : ''].join('\r\n')
  const whole = Buffer.from(text, 'latin1')
  return chance(random, 0.2) ? whole.subarray(0, int(random, 1, whole.length)) : whole
}

const ANSWER_LIMIT_MS = 5000

/** What is answered to bytes behind which nothing more comes; nothing, where the connection is only ended. */
export function sendBytes(
  where: { path: string } | { host: string; port: number },
  sent: Buffer,
): Promise<string> {
  return new Promise((resolve) => {
    let got = ''
    const socket = connect(where)
    socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy())
    socket.on('data', (part) => {
      got += part.toString('latin1')
    })
    socket.on('error', () => {}) // it was ended while more was on its way
    socket.once('close', () => resolve(got))
    socket.end(sent)
  })
}
