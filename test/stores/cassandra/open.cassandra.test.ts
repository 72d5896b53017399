/** Making and opening a store on a real node: what is said when it can't be, and what one node can show. */
import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { newWriteId } from '../../../pipeline/base/ids.ts'
import { initCassandraStore, openCassandraStore } from '../../../pipeline/stores/cassandra/index.ts'
import {
  all,
  aProject,
  aRow,
  aStatics,
  change,
  creation,
  newProjectId,
  rejection,
  same,
} from '../../contracts/values.ts'
import {
  cassandraTestStore,
  dropKeyspace,
  newKeyspace,
  type TestStore,
  testClient,
  testNode,
} from '../../support/cassandra-store.ts'

const test = suite('cassandra: open')

const ofCode = async (promise: Promise<unknown>, code: string, text?: string | RegExp): Promise<void> => {
  const error = await rejection<TidepoolError>(promise, code)
  assert.instance(error, TidepoolError)
  assert.is(error.code, code, error.message)
  assert.ok(error.hint)
  if (text) assert.match(error.message, text)
}

async function withKeyspace(
  body: (keyspace: string, client: Awaited<ReturnType<typeof testClient>>) => Promise<void>,
) {
  const keyspace = newKeyspace()
  const client = await testClient()
  try {
    await body(keyspace, client)
  } finally {
    await dropKeyspace(client, keyspace)
    await client.shutdown()
  }
}

test('init says what it did, and the second time that it was there', async () => {
  await withKeyspace(async (keyspace) => {
    const options = { ...testNode, keyspace }
    await ofCode(initCassandraStore(options), 'replication-needed', keyspace)
    const first = await initCassandraStore({ ...options, replication: { dc1: 1 }, receivable: ['lz4'] })
    assert.is(first[0], `created keyspace ${keyspace} (dc1:1)`)
    assert.ok(first.includes('created table project'))
    assert.is(first.at(-1), 'format 1, mode home:dc1')
    const second = await initCassandraStore({ ...options, replication: { dc1: 1 }, mode: 'home:dc1' })
    assert.is(second.length, first.length)
    assert.ok(
      second.slice(0, -1).every((line) => / was there/.test(line)),
      second.join('; '),
    )
    await ofCode(initCassandraStore({ ...options, mode: 'global' }), 'mode-differs', 'home:dc1')
    await ofCode(initCassandraStore({ ...options, replication: { dc1: 2 } }), 'replication-differs', 'dc1:1')

    const store = await openCassandraStore(options)
    same((await store.catalogue.info()).receivable, ['lz4'])
    const other = await openCassandraStore(options)
    await other.catalogue.setReceivable([])
    same((await store.catalogue.info()).receivable, [])
    await other.catalogue.setReceivable(null)
    same((await store.catalogue.info()).receivable, null)
    await other.close()
    assert.is(store.url, `cassandra://${testNode.contactPoints[0]}:${testNode.port}/${keyspace}?dc=dc1`)
    await store.close()
    await store.close()
    await ofCode(store.catalogue.read(newProjectId()), 'store-closed')
  })
})

test('a store made for hosts that can receive nothing but plain streams says so', async () => {
  await withKeyspace(async (keyspace) => {
    const options = { ...testNode, keyspace }
    await initCassandraStore({ ...options, replication: { dc1: 1 }, receivable: [] })
    const store = await openCassandraStore(options)
    same((await store.catalogue.info()).receivable, [])
    await store.close()
  })
})

test('what init cannot make leaves nothing behind', async () => {
  await withKeyspace(async (keyspace, client) => {
    const options = { ...testNode, keyspace, replication: { dc1: 1 } }
    await ofCode(initCassandraStore({ ...options, replication: { dc7: 1 } }), 'unknown-dc', 'dc7')
    await ofCode(initCassandraStore({ ...options, replication: { dc1: 0 } }), 'bad-replication')
    await ofCode(initCassandraStore({ ...options, replication: {} }), 'bad-replication')
    await ofCode(initCassandraStore({ ...options, mode: 'home:dc7' }), 'unknown-dc', 'dc7')
    await ofCode(initCassandraStore({ ...options, mode: 'home' }), 'bad-mode')
    await ofCode(initCassandraStore({ ...options, keyspace: 'No' }), 'bad-keyspace')
    const query = 'SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?'
    assert.is((await client.execute(query, [keyspace], { prepare: true })).rowLength, 0)
  })
})

test('what is not there, or not as it is said to be, has its own error', async () => {
  await withKeyspace(async (keyspace, client) => {
    const options = { ...testNode, keyspace }
    await ofCode(openCassandraStore(options), 'keyspace-missing', keyspace)
    await client.execute(
      `CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}`,
    )
    await ofCode(openCassandraStore(options), 'store-missing', keyspace)
    await initCassandraStore({ ...options, mode: 'global' })
    await ofCode(openCassandraStore({ ...options, mode: 'home:dc1' }), 'mode-differs', 'global')
    await ofCode(openCassandraStore({ ...options, replication: { dc1: 3 } }), 'replication-differs', 'dc1:1')
    await ofCode(openCassandraStore({ ...options, localDc: 'dc7' }), 'unknown-dc', 'dc7')
    await client.execute(`UPDATE ${keyspace}.info SET mode = 'home:dc7' WHERE name = 'store' IF EXISTS`)
    await ofCode(openCassandraStore(options), 'unknown-dc', 'dc7')
    await client.execute(`UPDATE ${keyspace}.info SET format = 2 WHERE name = 'store' IF EXISTS`)
    await ofCode(openCassandraStore(options), 'store-format', /format 2/)
    await ofCode(initCassandraStore(options), 'store-format', /format 2/)
  })
})

test('nodes that cannot be reached, are silent, or speak no TLS have their own errors', async () => {
  const options = { ...testNode, keyspace: 'nobody' }
  await ofCode(
    openCassandraStore({ ...options, port: 1 }),
    'store-unavailable',
    `${testNode.contactPoints[0]}:1`,
  )
  await ofCode(openCassandraStore({ ...options, contactPoints: ['nowhere.invalid'] }), 'store-unavailable')
  const ca = join(tmpdir(), `tidepool-ca-${process.pid}.pem`)
  await writeFile(ca, '')
  await ofCode(openCassandraStore({ ...options, tlsCa: ca }), 'tls-failed').finally(() => rm(ca))
  await ofCode(openCassandraStore({ ...options, tlsCa: '/nowhere.pem' }), 'tls-ca-unreadable')
})

test('opening ends at an abort although nobody answers', async () => {
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const control = new AbortController()
  server.once('connection', (socket) => {
    control.abort(new Error('no more'))
    socket.destroy()
  })
  const opening = openCassandraStore({ ...testNode, port, keyspace: 'nobody' }, { signal: control.signal })
  assert.is(await rejection(opening, 'the opening'), control.signal.reason)
  await new Promise((resolve) => server.close(resolve))
})

test('a store in mode global keeps its transactions', async () => {
  await withKeyspace(async (keyspace) => {
    await initCassandraStore({ ...testNode, keyspace, replication: { dc1: 1 }, mode: 'global' })
    const { catalogue, close } = await openCassandraStore({ ...testNode, keyspace, mode: 'global' })
    const id = newProjectId()
    const row = aRow()
    assert.is(await catalogue.apply(creation(id, aStatics(), [{ kind: 'insert', row }])), true)
    assert.is(await catalogue.apply(change(id, { rev: 2n }, { rev: 3n })), false)
    same(await catalogue.read(id), aProject(id, aStatics(), [row]))
    await close()
  })
})

/** One store for the tests below; the last of them drops it. */
let shared: Promise<TestStore> | undefined
const open = (): Promise<TestStore> => {
  shared ??= cassandraTestStore({ pageRows: 2 })
  return shared
}

const CHUNK = { data: Buffer.alloc(65_536, 7), digest: Buffer.alloc(32, 1) }
const anExtent = () => ({
  project: newProjectId(),
  writeId: newWriteId(),
  chunkBytes: 65_536,
  bytes: 65_536n,
  chunkCount: 1,
})

test('a project of several pages reads back whole', async () => {
  const { catalogue } = (await open()).store
  const id = newProjectId()
  const rows = Array.from({ length: 7 }, () => aRow())
  await catalogue.apply(
    creation(
      id,
      aStatics(),
      rows.map((row) => ({ kind: 'insert', row }) as const),
    ),
  )
  same(await catalogue.read(id), aProject(id, aStatics(), rows))
})

test('a number that the driver would wrap is refused, and nothing happens', async () => {
  const { catalogue } = (await open()).store
  const id = newProjectId()
  await catalogue.apply(creation(id, aStatics()))
  await ofCode(catalogue.apply(change(id, { rev: 1n }, { rev: 2n ** 63n })), 'number-out-of-range')
  same(await catalogue.read(id), aProject(id, aStatics()))
})

test('what was removed stays removed: a chunk that comes late, and a mending', async () => {
  const { blobs } = (await open()).store
  const write = anExtent()
  const writer = await blobs.create(write)
  await writer.put(0, CHUNK.data, CHUNK.digest)
  await blobs.remove({ ...write, seqHigh: 1 })
  await writer.put(0, CHUNK.data, CHUNK.digest)
  await blobs.mend(write, 0, CHUNK)
  await ofCode((await blobs.open(write)).get(0, { careful: true }), 'chunk-missing')
  same(await all(blobs.missing(write)), [0])
  assert.not((await all(blobs.stored())).some(({ writeId }) => writeId === write.writeId))
})

test('what was forgotten stays forgotten, though its note comes late', async () => {
  const { catalogue } = (await open()).store
  const entry = { project: newProjectId(), row: aRow() }
  const { host, writeId } = entry.row
  await catalogue.noteWriting(host, entry)
  await catalogue.forgetWriting(host, writeId)
  await catalogue.noteWriting(host, entry)
  same(await all(catalogue.writing(host)), [])
})

test('the last mending stands, whatever the bytes are', async () => {
  const { blobs } = (await open()).store
  const write = anExtent()
  // Of two values with one timestamp the greater one would win: here each is less than the one before.
  for (const fill of [9, 8, 7, 6]) {
    const next = { data: Buffer.alloc(65_536, fill), digest: Buffer.alloc(32, fill) }
    await blobs.mend(write, 0, next)
    const got = await (await blobs.open(write)).get(0)
    assert.ok(got.data.equals(next.data) && got.digest.equals(next.digest))
  }
})

test('what is no chunk is refused', async () => {
  const writer = await (await open()).store.blobs.create(anExtent())
  const wrong = [
    [-1, 10],
    [0.5, 10],
    [2 ** 31, 10],
    [1, 0],
    [1, 65_537],
  ] as const
  for (const [seq, length] of wrong)
    await ofCode(writer.put(seq, Buffer.alloc(length), CHUNK.digest), 'chunk-out-of-range')
  await writer.close()
  await ofCode(writer.put(0, CHUNK.data, CHUNK.digest), 'writer-closed')
})

test("somebody else's partition is listed, and nobody's", async () => {
  const { store, client, options } = await open()
  await client.execute(
    `INSERT INTO ${options.keyspace}.chunk (write_id, bucket, seq, len) VALUES ('stranger', 5, 1, 1)`,
  )
  const strange = (await all(store.blobs.stored())).filter(({ writeId }) => writeId === null)
  assert.is(strange.length, 1)
  assert.is(strange[0]?.project, null)
  assert.match(strange[0]?.what ?? '', 'stranger')
  await store.blobs.removeStored(strange[0]!)
})

test('a table that somebody dropped is an error that says so', async () => {
  const { store, client, options } = await open()
  await client.execute(`DROP TABLE ${options.keyspace}.host`)
  await ofCode(all(store.catalogue.hosts()), 'store-refused', 'list of all hosts')
})

test('the store closes, and its keyspace goes', async () => {
  await (await open()).cleanup()
})

test.run()
