/** The command over Cassandra: the whole way once, and what goes wrong with a URL that is well-formed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dropKeyspace, newKeyspace, testClient, testNode } from '../support/cassandra-store.ts'
import { tidepool } from '../support/command.ts'
import { fixtureBytes } from '../support/stream-fixtures.ts'

const test = suite('the command over Cassandra')
const { contactPoints, port, localDc } = testNode
const urlOf = (keyspace: string, more = '', dc: string = localDc) =>
  `cassandra://${contactPoints}:${port}/${keyspace}?dc=${dc}${more}`

async function withKeyspace(use: (keyspace: string) => Promise<void>): Promise<void> {
  const keyspace = newKeyspace()
  const client = await testClient()
  try {
    await use(keyspace)
  } finally {
    await dropKeyspace(client, keyspace)
    await client.shutdown()
  }
}

async function failure(url: string, env: Record<string, string> = {}): Promise<string> {
  const { code, stderr } = await tidepool(['--store', url, 'stream', 'ls'], { env })
  assert.match(stderr, /^tidepool: .*\n {2}.*\n$/)
  return `${code} ${stderr}`
}

test('init, put, get, ls, scrub, info', () =>
  withKeyspace(async (keyspace) => {
    const run = async (...argv: string[]) => {
      const ran = await tidepool(['--store', urlOf(keyspace), ...argv], {
        stdin: fixtureBytes('zfs-2.3.2', 'full'),
      })
      assert.is(ran.code, 0, ran.stderr)
      return ran
    }
    const init = await tidepool(['--store', urlOf(keyspace, `&rf=${localDc}:1`), 'store', 'init'])
    assert.is(init.code, 0, init.stderr)
    assert.match(init.stdout.toString(), new RegExp(`keyspace.*${keyspace}`))
    assert.is((await run('store', 'init')).stdout.toString().includes('created table'), false)
    const [put] = (await run('--json', 'stream', 'put', 'p')).json
    assert.ok(
      (await run('stream', 'get', `p/${put?.writeId}`)).stdout.equals(fixtureBytes('zfs-2.3.2', 'full')),
    )
    assert.equal((await run('--json', 'stream', 'ls')).json, [
      { project: 'p', state: 'live', head: put?.to, owner: null },
    ])
    assert.match((await run('scrub', '--depth', 'deep')).stdout.toString(), /0 damaged/)
    assert.is((await run('--json', 'store', 'info')).json[0]?.kind, 'cassandra')
  }))

test('a keyspace that is not there, or that is no store', () =>
  withKeyspace(async (keyspace) => {
    assert.match(await failure(urlOf(keyspace)), new RegExp(`^1 .*${keyspace}`))
    const client = await testClient()
    await client.execute(
      `CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', '${localDc}': 1}`,
    )
    await client.shutdown()
    assert.match(await failure(urlOf(keyspace)), /^1 .*store init/s)
  }))

test('replication, mode or data centre other than the store has', () =>
  withKeyspace(async (keyspace) => {
    const url = urlOf(keyspace, `&rf=${localDc}:1`)
    assert.is((await tidepool(['--store', url, 'store', 'init'])).code, 0)
    assert.match(await failure(urlOf(keyspace, `&rf=${localDc}:3`)), /^1 .*3/)
    assert.match(await failure(urlOf(keyspace, '&mode=global')), /^1 .*global/)
    assert.match(await failure(urlOf(keyspace, '', 'elsewhere')), /^1 .*elsewhere/)
  }))

test('nobody listens there', async () => {
  const ran = await tidepool(['--store', 'cassandra://127.0.0.1:1/k?dc=dc1', 'stream', 'ls'])
  assert.is(ran.code, 1)
  assert.match(ran.stderr, /^tidepool: .*127\.0\.0\.1.*\n {2}.*\n$/)
})

test('a password comes from a file or the environment, is used only with a user, and is never printed', async () => {
  const path = await mkdtemp(join(tmpdir(), 'tidepool-test-'))
  try {
    const file = join(path, 'password')
    await writeFile(file, 's3cret\n')
    const url = 'cassandra://127.0.0.1:1/k?dc=dc1'
    const named = { TIDEPOOL_CASSANDRA_PASSWORD_FILE: file }
    assert.match(await failure(url, named), /^2 .*names no user/)
    assert.not.match(await failure(`${url}&user=me`, named), /s3cret/)
    assert.match(await failure(`${url}&user=me`, { ...named, TIDEPOOL_CASSANDRA_PASSWORD: 'x' }), /^2 .*both/)
    await writeFile(file, 'two\nlines\n')
    assert.match(await failure(`${url}&user=me`, named), /^2 .*not exactly one line/)
    assert.match(
      await failure(`${url}&user=me`, { TIDEPOOL_CASSANDRA_PASSWORD_FILE: join(path, 'none') }),
      /^2 .*none can't be read/,
    )
  } finally {
    await rm(path, { recursive: true })
  }
})

test.run()
