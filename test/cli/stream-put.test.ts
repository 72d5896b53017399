import { PassThrough } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { tidepoolOver } from '../support/command.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { fixtureBytes } from '../support/stream-fixtures.ts'
import { streamBytes } from '../support/stream-generator.ts'

const test = suite('stream put')
const full = { seed: 1, bytes: 300_000, toGuid: 11n, name: 'tank/p@a' }
const step = { seed: 2, bytes: 100_000, fromGuid: 11n, toGuid: 22n, name: 'tank/p@b' }

test('stores a stream from standard input and gives it back byte for byte', async () => {
  const tidepool = tidepoolOver()
  const stream = fixtureBytes('zfs-2.3.2', 'full')
  const put = await tidepool(['--json', 'stream', 'put', 'p1'], { stdin: stream })
  assert.is(put.code, 0, put.stderr)
  assert.is(put.json.length, 1)
  assert.is(put.json[0]?.placement, 'head')
  assert.is(put.json[0]?.bytes, String(stream.length))
  assert.is(put.stderr, '')
  const got = await tidepool(['stream', 'get', `p1/${put.json[0]?.writeId}`])
  assert.is(got.code, 0, got.stderr)
  assert.ok(got.stdout.equals(stream))
})

test('leaves the project without an owner and its host ended', async () => {
  const store = memoryStore()
  const tidepool = tidepoolOver(store)
  await tidepool(['stream', 'put', 'p1', '-'], { stdin: await streamBytes(full) })
  assert.equal(
    [...store.state.projects.values()].map((project) => project.statics.owner),
    [null],
  )
  assert.equal(
    [...store.state.hosts.values()].map((host) => host.state),
    ['ended'],
  )
})

test('a step from the head moves it, a full beside it is a side point, a second way is parallel', async () => {
  const tidepool = tidepoolOver()
  const placed = async (stdin: Buffer) => {
    const { json, stderr } = await tidepool(['stream', 'put', 'p', '--json'], { stdin })
    assert.is(stderr, '')
    return [json[0]?.placement, json[0]?.head]
  }
  assert.equal(await placed(await streamBytes(full)), ['head', '11'])
  assert.equal(await placed(await streamBytes(step)), ['head', '22'])
  assert.equal(await placed(await streamBytes({ ...full, seed: 3, toGuid: 33n })), ['side', '22'])
  assert.equal(await placed(await streamBytes({ ...full, seed: 4, toGuid: 22n })), ['parallel', '22'])
})

test('what is no stream is refused before the store hears of it', async () => {
  const store = memoryStore()
  const put = await tidepoolOver(store)(['stream', 'put', 'p', '-'], { stdin: Buffer.alloc(5000, 7) })
  assert.is(put.code, 1)
  assert.match(
    put.stderr,
    /^tidepool: the stream is refused at byte 0: .*\n {2}Give the output of `zfs send`/,
  )
  assert.is(store.state.projects.size, 0)
  assert.is(store.state.hosts.size, 0)
})

test('a step from nowhere is refused before a project is made for it', async () => {
  const store = memoryStore()
  const put = await tidepoolOver(store)(['stream', 'put', 'p'], { stdin: await streamBytes(step) })
  assert.is(put.code, 1)
  assert.match(put.stderr, /starts at snapshot 11/)
  assert.is(store.state.projects.size, 0)
})

test('a stream that stops early commits nothing, and says what remains', async () => {
  const store = memoryStore()
  const whole = await streamBytes(full)
  const put = await tidepoolOver(store)(['stream', 'put', 'p'], { stdin: whole.subarray(0, -50) })
  assert.is(put.code, 1)
  assert.match(put.stderr, /nothing was committed: write \S+ was ended, and nothing of it remains\n/)
  assert.match(put.stderr, /the stream is refused at byte 299950/)
  assert.is(store.state.blobs.size, 0)
})

test('reads a named file, and says which one it can not read', async () => {
  const tidepool = tidepoolOver()
  const { path, remove } = await temporaryDirectory()
  try {
    const file = new URL('../fixtures/streams/zfs-2.1.11/raw.zstream', import.meta.url).pathname
    assert.is((await tidepool(['stream', 'put', 'p', file])).code, 0)
    const missing = await tidepool(['stream', 'put', 'p', `${path}/none`])
    assert.is(missing.code, 1)
    assert.match(missing.stderr, /can't read .*none: there is no such file or directory/)
    assert.match((await tidepool(['stream', 'put', 'p', path])).stderr, /it is a directory/)
  } finally {
    await remove()
  }
})

test('wrong words are answered with exit code 2 and the right ones', async () => {
  const tidepool = tidepoolOver()
  const cases: [argv: string[], message: RegExp][] = [
    [['stream', 'put', 'Bad_Id'], /"Bad_Id" is not a project id/],
    [['stream', 'put', 'p', '-', '--chunk-size', '1X'], /"1X" is not a size/],
    [['stream', 'put', 'p', '-', '--chunk-size', '8M'], /chunks of 8.0 MiB can't be stored/],
    [['stream', 'put'], /missing required argument 'project'\n {2}`tidepool stream put --help`/],
    [['stream', 'push'], /unknown command 'push'/],
    [['stream'], /a command is missing\n {2}`tidepool stream --help`/],
    [['stream', 'put', 'p', '--force'], /unknown option '--force'/],
  ]
  for (const [argv, message] of cases) {
    const ran = await tidepool(argv)
    assert.is(ran.code, 2, argv.join(' '))
    assert.match(ran.stderr, message)
  }
  const json = await tidepool(['--json', 'stream', 'put', 'Bad_Id'])
  assert.is(JSON.parse(json.stderr).error.code, 'bad-id')
})

test('a project of another host that lives is refused', async () => {
  const store = memoryStore()
  const tidepool = tidepoolOver(store)
  const stdin = await streamBytes(full)
  const { newHostId, newSessionId, projectId } = await import('../../pipeline/base/ids.ts')
  const { registerHost } = await import('../../pipeline/hosts/session.ts')
  const { createProject } = await import('../../pipeline/graph/transitions/life.ts')
  const host = newHostId()
  await registerHost(store.catalogue, { host, session: newSessionId(), name: 'other', process: null })
  await store.catalogue.apply(createProject(projectId('p'), { owner: host, nowMs: 0 }))
  const put = await tidepool(['stream', 'put', 'p'], { stdin })
  assert.is(put.code, 1)
  assert.match(put.stderr, /project p is owned by host .* \(other\)/)
  assert.is(store.state.projects.get(projectId('p'))?.statics.owner, host)
})

test('an interrupted put ends with 130, commits nothing and keeps nothing', async () => {
  const store = memoryStore()
  const interrupted = new AbortController()
  const whole = await streamBytes(full)
  const stdin = new PassThrough()
  stdin.write(whole.subarray(0, 200_000))
  const putting = tidepoolOver(store)(['stream', 'put', 'p', '--chunk-size', '64K'], {
    stdin,
    signal: interrupted.signal,
  })
  while (store.state.blobs.size === 0) await setTimeout(1)
  interrupted.abort(new Error('interrupted'))
  const put = await putting
  assert.is(put.code, 130)
  assert.match(put.stderr, /nothing was committed/)
  assert.is(store.state.blobs.size, 0)
  assert.equal(
    [...store.state.hosts.values()].map((row) => row.state),
    ['ended'],
  )
})

test.run()
