import { request } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { routes } from '../../daemon/control/routes.ts'
import { withDaemon } from '../support/daemon.ts'
import { bytes, chance, int, pick, type Random, runSeed, seeded } from '../support/random.ts'

const test = suite('malformed requests')

const requests = Math.ceil(10_000 * Number(process.env.TIDEPOOL_LONG ?? 0.1))

test(`${requests} malformed requests are refused, none as a failure of the daemon`, () =>
  withDaemon(async ({ client, socket, ownersSocket }) => {
    const random = seeded(runSeed('api'))
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    for (let i = 0; i < requests; i++) {
      const { method, path, body } = malformed(random)
      const status = await statusOf(pick(random, [socket, ownersSocket]), method, path, body)
      assert.ok(status < 500, `${method} ${path} ${body}: ${status}`)
    }
    assert.equal(await client.call('GET', '/v1/ready'), { ready: true })
  }))

const OUR_WORDS = [
  '',
  'p',
  'q',
  '..',
  '%2e%2e',
  '%00',
  '%0a',
  'x'.repeat(300),
  '%',
  '%ff',
  '__proto__',
  '-1',
  '1e9',
]

/** A host that is told to open nothing more does as it is told, whatever else was sent with it. */
const takingSomething = routes.filter(
  ({ method, path }) => (method !== 'GET' || path.includes('{')) && path !== '/v1/drain',
)

function malformed(random: Random): { method: string; path: string; body: Buffer | undefined } {
  const { method, path } = pick(random, takingSomething)
  const filled = path.replace(/\{\w+\}/g, () => pick(random, OUR_WORDS))
  const body = pick(random, [
    () => undefined,
    () => bytes(random, int(random, 0, 300)),
    () => Buffer.from('{"point":'),
    () => Buffer.from(JSON.stringify({ id: pick(random, OUR_WORDS), quotaBytes: -1, extra: { a: [] } })),
    () =>
      Buffer.from(
        JSON.stringify({ point: pick(random, OUR_WORDS), points: 'all', to: 5, local: 'x', at: 0 }),
      ),
    () => Buffer.from('[]'),
    () => Buffer.alloc(70_000, 'x'),
  ])()
  return { method: chance(random, 0.1) ? 'PATCH' : method, path: filled, body }
}

function statusOf(
  socketPath: string,
  method: string,
  path: string,
  body: Buffer | undefined,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = body && method !== 'GET' ? { 'content-type': 'application/json' } : {}
    const asked = request({ socketPath, method, path, headers }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
    })
    // A body that is refused for its size is not read to its end.
    asked.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' || error.code === 'ECONNRESET' ? resolve(413) : reject(error),
    )
    asked.end(method === 'GET' ? undefined : body)
  })
}

test.run()
