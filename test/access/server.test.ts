import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ClientOptions, DaemonClient } from '../../daemon/access/client.ts'
import { Counts, type Figures } from '../../daemon/access/figures.ts'
import type { AccessCallbacks } from '../../daemon/access/layer.ts'
import { MAX_LINE_BYTES, toLine } from '../../daemon/access/protocol.ts'
import { AccessServer } from '../../daemon/access/server.ts'
import { ErrnoError } from '../../native/fuse/errno.ts'
import { systemClock } from '../../pipeline/base/clock.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { ManualClock } from '../support/manual-clock.ts'

const test = suite('access: server and client')

const P = projectId('p1')
const Q = projectId('p2')

const callbacks: AccessCallbacks = { open: async (id) => `/real/${id}`, listed: () => [], used: () => {} }

interface World {
  readonly socket: string
  listen(with_?: Partial<AccessCallbacks>): Promise<AccessServer>
  /** Connected already where a server listens. */
  client(options?: Partial<ClientOptions>): Promise<DaemonClient>
}

async function withWorld(body: (world: World) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  const stop = new AbortController()
  const servers: AccessServer[] = []
  const running: Promise<void>[] = []
  const socket = join(path, 'run', 'access.sock')
  try {
    await body({
      socket,
      async listen(other = {}) {
        const server = await AccessServer.listen(socket, { ...callbacks, ...other }, systemClock)
        servers.push(server)
        return server
      },
      async client(options = {}) {
        const client = new DaemonClient({
          socket,
          clock: systemClock,
          waitLimitMs: 3000,
          pauseMs: 10,
          forget: () => {},
          ...options,
        })
        running.push(client.run(stop.signal))
        await sleep(30)
        return client
      },
    })
  } finally {
    stop.abort()
    await Promise.all(running)
    for (const server of servers) await server.close()
    await remove()
  }
}

async function failure(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise
  } catch (error) {
    return error instanceof ErrnoError ? error.errno : codeOf(error)
  }
  return undefined
}

async function until(what: string, so: () => boolean): Promise<void> {
  for (const end = performance.now() + 30_000; !so(); await sleep(5))
    if (performance.now() > end) assert.unreachable(`${what}: not within 30 s`)
}

const closed = (socket: Socket | Server): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve())
  })

/** Something that listens there and is no daemon of ours. */
async function impostor(path: string, talk: (socket: Socket) => void): Promise<Server> {
  const server = createServer(talk)
  server.listen(path)
  await once(server, 'listening')
  return server
}

test('what the daemon says of a project is what a caller gets, each its own', () =>
  withWorld(async ({ listen, client }) => {
    await listen({
      open: async (id) => {
        if (id === P) throw new TidepoolError('owned-elsewhere', 'it is')
        await sleep(20)
        return `/real/${id}`
      },
    })
    const asks = await client()
    const answers = await Promise.allSettled(
      ['a', 'p1', 'b', 'p1', 'c'].map((id) => asks.open(projectId(id))),
    )
    assert.equal(
      answers.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as ErrnoError).errno)),
      ['/real/a', 'EBUSY', '/real/b', 'EBUSY', '/real/c'],
    )
  }))

test('only root may use the socket; what a killed daemon left is replaced, and nothing else is', () =>
  withWorld(async ({ socket, listen }) => {
    const server = await listen()
    assert.is((await stat(socket)).mode & 0o777, 0o600)
    assert.is((await stat(join(socket, '..'))).mode & 0o777, 0o700)
    assert.is(await failure(listen()), 'socket-taken')
    await server.close()
    await writeFile(socket, 'mine')
    assert.is(await failure(listen()), 'socket-taken')
  }))

test('who waits when a daemon ends is asked for again of the next one, and its first open is told', () =>
  withWorld(async ({ listen, client }) => {
    let told: AbortSignal | undefined
    const first = await listen({
      open: (_id, signal) => {
        told = signal
        return new Promise(() => {})
      },
    })
    const asks = await client()
    const waiting = Promise.all([asks.open(P), asks.open(Q)])
    await until('it is asked', () => told !== undefined)
    await first.close()
    assert.ok(told?.aborted)
    await listen()
    assert.equal(await waiting, ['/real/p1', '/real/p2'])
  }))

test('at its deadline a caller has ETIMEDOUT, and the daemon knows that nobody waits', () =>
  withWorld(async ({ listen, client }) => {
    let told: AbortSignal | undefined
    await listen({
      open: (_id, signal) => {
        told = signal
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
    })
    const asks = await client({ waitLimitMs: 300 })
    assert.is(await failure(asks.open(P)), 'ETIMEDOUT')
    await until('the daemon is told', () => told?.aborted === true)
  }))

test('so many may wait; who comes then, and who waits at the end, has EAGAIN', () =>
  withWorld(async ({ socket }) => {
    const stop = new AbortController()
    const clock = new ManualClock()
    const asks = new DaemonClient({ socket, clock, maxWaiting: 2, forget: () => {} })
    const running = asks.run(stop.signal)
    const waiting = [failure(asks.open(P)), failure(asks.open(Q))]
    assert.is(await failure(asks.open(P)), 'EAGAIN')
    stop.abort()
    await running
    assert.equal(await Promise.all(waiting), ['EAGAIN', 'EAGAIN'])
    assert.is(clock.pendingSleeps, 0)
  }))

test('a list of any length comes whole, or not at all', () =>
  withWorld(async ({ listen, client }) => {
    const ids = Array.from({ length: 12_345 }, (_, n) => projectId(`p${n}`))
    const server = await listen({ listed: () => ids })
    const asks = await client()
    assert.equal(await asks.list('all', 3000), ids)
    await server.close()
    const broken = await listen({
      async *listed(): AsyncGenerator<ProjectId> {
        yield* ids.slice(0, 600)
        throw new Error('the store is gone')
      },
    })
    await sleep(50)
    assert.is(await asks.list('all', 3000), undefined)
    await broken.close()
    assert.is(await asks.list('all', 50), undefined)
  }))

test('what was used is told in lines that are short enough; where nobody listens, that is said', () =>
  withWorld(async ({ listen, client }) => {
    const asks = await client()
    assert.not(asks.used([P]))
    const seen: ProjectId[] = []
    await listen({ used: (ids) => void seen.push(...ids) })
    const ids = Array.from({ length: 1234 }, (_, n) => projectId(`${'x'.repeat(58)}${n}`))
    await until('it is told', () => asks.used(ids))
    await until('all came', () => seen.length >= ids.length)
    assert.equal(seen, ids)
  }))

test('what the access process has counted is told when it connects and where it has changed, and that it has gone', () =>
  withWorld(async ({ listen, client }) => {
    const told: (Figures | undefined)[] = []
    const counts = new Counts()
    counts.answered('readlink', 'ENOENT')
    const first = await listen({ figures: (figures) => void told.push(figures) })
    const asks = await client({ figures: (waiting) => counts.figures(waiting) })
    await until('it is told', () => told.length === 1)
    asks.tellFigures()
    counts.answered('getattr')
    asks.tellFigures()
    await until('it is told again', () => told.length === 2)
    assert.is(told[0]?.errors.ENOENT, 1)
    assert.is(told[0]?.answers.getattr, 0)
    assert.is(told[1]?.answers.getattr, 1)
    assert.is(told[0]?.process, told[1]?.process)
    await first.close()
    assert.is(told.at(-1), undefined)
    // The next daemon hears it though nothing has changed.
    await listen({ figures: (figures) => void told.push(figures) })
    await until('the next one is told', () => told.at(-1)?.answers.getattr === 1)
  }))

test('forgetting is over once the other side has done it, or at the latest when what it knew is too old', () =>
  withWorld(async ({ socket, listen, client }) => {
    const server = await listen()
    let forgotten = 0
    let connected = false
    await client({
      forget: () => void forgotten++,
      connected: () => {
        connected = true
      },
    })
    await until('it is connected', () => connected)
    const promptMs: number[] = []
    for (let round = 1; round <= 3; round++) {
      const began = performance.now()
      await Promise.all([server.forget(), server.forget()])
      promptMs.push(performance.now() - began)
      assert.is(forgotten, 2 * round)
    }
    // One that waits for the limit always does; a machine that is busy with something else does not always delay.
    assert.ok(Math.min(...promptMs) < 900, `${promptMs} ms`)
    // One that has stopped reads no more.
    const hung = connect(socket)
    await once(hung, 'connect')
    await sleep(30)
    const lateMs: number[] = []
    for (let round = 1; round <= 2; round++) {
      const began = performance.now()
      await server.forget()
      lateMs.push(performance.now() - began)
    }
    assert.ok(Math.min(...lateMs) > 900 && Math.min(...lateMs) < 3000, `${lateMs} ms`)
    hung.destroy()
  }))

test('what is held is released when it is forgotten, and all of it where the daemon leaves', () =>
  withWorld(async ({ listen, client }) => {
    const server = await listen()
    const told: string[] = []
    let connected = false
    await client({
      hold: (id) => void told.push(`hold ${id}`),
      release: (id) => void told.push(`release ${id ?? 'all'}`),
      forget: () => void told.push('forget'),
      connected: () => {
        connected = true
      },
    })
    await until('it is connected', () => connected)
    told.splice(0)
    await server.hold(P)
    assert.equal(told.splice(0), ['hold p1'])
    await server.forget(P)
    assert.equal(told.splice(0), ['release p1', 'forget'])
    await server.hold(Q)
    await server.close()
    await until('it is released', () => told[1] === 'release all')
  }))

test('nonsense on either side ends that connection and nothing else', () =>
  withWorld(async ({ socket, listen, client }) => {
    const server = await listen()
    for (const nonsense of ['GET / HTTP/1.1\r\n\r\n', 'x'.repeat(3 * MAX_LINE_BYTES)]) {
      const stranger = connect(socket).on('error', () => {})
      stranger.write(nonsense)
      stranger.resume()
      await closed(stranger)
    }
    const asks = await client()
    assert.is(await asks.open(P), '/real/p1')
    await server.close()
    let talks = 0
    const other = await impostor(socket, (one) => {
      talks++
      one
        .on('error', () => {})
        .resume()
        .write('welcome\n')
    })
    const waiting = asks.open(Q)
    while (talks < 3) await sleep(10)
    const ended = closed(other)
    other.close()
    await ended
    await listen()
    assert.is(await waiting, '/real/p2')
  }))

test('one that asks and never reads is cut off', () =>
  withWorld(async ({ socket, listen }) => {
    await listen({ open: async () => 'x'.repeat(4000) })
    const greedy = connect(socket).on('error', () => {})
    await once(greedy, 'connect')
    const ended = closed(greedy)
    for (let seq = 0; seq < 5000; seq++) greedy.write(toLine({ ask: 'open', seq, id: P }))
    // Only who reads hears of his end.
    await sleep(500)
    greedy.resume()
    await ended
  }))

test.run()
