/** Malformed requests at every way in, from those who may ask and from those who may not: each is refused, and nothing of it stays. */
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ownersDirectoryOf } from '../../daemon/auth/owners.ts'
import { routes } from '../../daemon/control/routes.ts'
import { endpointFileOf } from '../../daemon/daemon.ts'
import { type DaemonSetting, withDaemon } from '../support/daemon.ts'
import { eventually } from '../support/fuse.ts'
import { type Malformed, malformedBytes, malformedRequest, sendBytes } from '../support/malformed.ts'
import { chance, pick, type Random, runSeed, seeded } from '../support/random.ts'

const test = suite('malformed requests')

const REQUESTS = Math.ceil(10_000 * Number(process.env.TIDEPOOL_LONG ?? 0.1))
/** Of them, what is no HTTP. */
const NO_HTTP = 0.2
/** Answers by key, ended operations and events are kept up to a number each; what leaked with each request would be far more. */
const MEMORY_BYTES = 24 * 2 ** 20

interface Way {
  readonly name: string
  readonly where: { readonly path: string } | { readonly host: string; readonly port: number }
  /** Of somebody who may ask. */
  readonly proof: Readonly<Record<string, string>>
}

async function waysIn({ client, config, daemon, socket, ownersSocket }: DaemonSetting): Promise<Way[]> {
  const owner = { uid: process.getuid?.() || 1000, gid: process.getgid?.() || 1000 }
  for (const id of ['p', 'q']) await client.call('POST', '/v1/projects', { body: { id, owner } })
  const { secret } = await client.call<{ secret: string }>('POST', '/v1/tokens', {
    body: { name: 'all', role: 'admin' },
  })
  const token = await readFile(join(ownersDirectoryOf(config.run), 'p'), 'utf8')
  const { url } = JSON.parse(await readFile(endpointFileOf(config), 'utf8')) as { url: string }
  const page = new URL(daemon.pageLink ?? '')
  const at = ({ hostname, port }: URL) => ({ host: hostname, port: Number(port) })
  return [
    { name: 'root', where: { path: socket }, proof: {} },
    { name: 'owners', where: { path: ownersSocket }, proof: { authorization: `Bearer ${token}` } },
    { name: 'tcp', where: at(new URL(url)), proof: { authorization: `Bearer ${secret}` } },
    {
      name: 'page',
      where: at(page),
      proof: { host: page.host, cookie: `tidepool-${page.port}=${page.searchParams.get('token')}` },
    },
  ]
}

/** A host that is told to open nothing more does as it is told, whatever else was sent with it; a stream of events has no end. */
const asked = routes.filter(({ path, answers }) => path !== '/v1/drain' && answers === undefined)

async function sendOne(random: Random, way: Way): Promise<{ told: string; status: number; answer: string }> {
  if (chance(random, NO_HTTP)) {
    const sent = malformedBytes(random, way.proof.host)
    const answer = await sendBytes(way.where, sent)
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
    return { told: JSON.stringify(sent.toString('latin1').slice(0, 200)), status, answer }
  }
  const one = malformedRequest(random, asked)
  const proof = chance(random, 0.8) ? way.proof : {}
  const { status, answer } = await answerTo(way, { ...one, headers: { ...one.headers, ...proof } })
  return { told: `${one.method} ${one.path.slice(0, 100)} ${one.body?.subarray(0, 100)}`, status, answer }
}

test(`${REQUESTS} malformed requests are refused, none as a failure of the daemon, and nothing of them stays`, () =>
  withDaemon(
    async (setting) => {
      const random = seeded(runSeed('malformed'))
      const ways = await waysIn(setting)
      const { client, daemon } = setting
      const secrets = ways.flatMap(({ proof }) =>
        Object.values(proof).map((text) => text.split(/[ =]/).at(-1)),
      )
      const some = async (count: number): Promise<void> => {
        for (let n = 0; n < count; n++) {
          const way = pick(random, ways)
          const { told, status, answer } = await sendOne(random, way)
          assert.ok(status < 500, `${way.name}: ${told}: ${status} ${answer}`)
          assert.not.match(answer, /node_modules|\.ts:\d+|at async/, `${way.name}: ${told}`)
          if (way.name !== 'page')
            for (const secret of secrets)
              assert.not.ok(secret && answer.includes(secret), `${way.name}: ${told}`)
        }
        await eventually('what was begun has ended', 30_000, async () =>
          daemon.journal.operations.all.every(({ state }) => state !== 'running'),
        )
      }
      // What is made once and kept is made by these.
      await some(Math.ceil(REQUESTS / 4))
      const before = held()
      await some(Math.floor((REQUESTS * 3) / 4))
      await eventually('connections are closed', 30_000, async () => held().files <= before.files)
      const grownBytes = held().bytes - before.bytes
      assert.ok(grownBytes < MEMORY_BYTES, `${grownBytes} bytes more`)
      assert.equal(await client.call('GET', '/v1/ready'), { ready: true })
      const { projects } = await client.call<{ projects: { id: string }[] }>('GET', '/v1/projects')
      for (const { id } of projects) assert.ok(['p', 'q', 'constructor'].includes(id), id)
    },
    { config: ['listen: {port: 0}', 'page: {port: 0}'] },
  ))

test('to a stranger a project that is there and one that is not are the same', () =>
  withDaemon(
    async (setting) => {
      const ways = await waysIn(setting)
      await setting.client.call('POST', '/v1/projects', { body: { id: 'is-there' } })
      for (const way of ways.filter(({ name }) => name === 'owners' || name === 'tcp'))
        for (const path of ['', '/why', '/history', '/save', '/nonsense']) {
          const method = path === '/save' ? 'POST' : 'GET'
          const of = async (id: string) => {
            const headers = { authorization: 'Bearer tp_nothing', 'x-request-id': 'same' }
            const { status, answer } = await answerTo(way, {
              method,
              path: `/v1/projects/${id}${path}`,
              headers,
              body: undefined,
            })
            return `${status} ${answer.replaceAll(id, 'ID')}`
          }
          assert.is(await of('not-there'), await of('is-there'), `${way.name} ${path}`)
        }
    },
    { config: ['listen: {port: 0}', 'page: {port: 0}'] },
  ))

/** What this process, which is the daemon's too, has open and in memory. */
function held(): { readonly files: number; readonly bytes: number } {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return { files: readdirSync('/proc/self/fd').length, bytes: process.memoryUsage().heapUsed }
}

function answerTo(
  { where }: Way,
  { method, path, headers, body }: Malformed,
): Promise<{ status: number; answer: string }> {
  // By itself Node says it of some methods only.
  const length = body && { 'content-length': String(body.length) }
  const target = 'path' in where ? { socketPath: where.path } : where
  return new Promise((resolve, reject) => {
    const sent = request(
      { ...target, method, path, headers: { ...headers, ...length }, agent: false },
      (response) => {
        let answer = ''
        response.setEncoding('latin1').on('data', (part: string) => {
          answer += part
        })
        response.once('close', () => resolve({ status: response.statusCode ?? 0, answer }))
      },
    )
    // A body that is refused for its size is not read to its end.
    sent.on('error', (error: NodeJS.ErrnoException) =>
      ['EPIPE', 'ECONNRESET'].includes(error.code ?? '')
        ? resolve({ status: 413, answer: '' })
        : reject(error),
    )
    sent.end(body)
  })
}

test.run()
