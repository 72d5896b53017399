/** Stores on the node that the tests run with: each in a keyspace of its own, dropped at the end. */
import { randomBytes } from 'node:crypto'
import { Client, types } from 'cassandra-driver'
import type { WriteId } from '../../pipeline/base/ids.ts'
import { bucketOf } from '../../pipeline/stores/cassandra/buckets.ts'
import {
  type CassandraOptions,
  initCassandraStore,
  openCassandraStore,
} from '../../pipeline/stores/cassandra/index.ts'
import type { Store } from '../../pipeline/stores/contract.ts'

const [host = '127.0.0.1', port = '9042'] = (process.env.TIDEPOOL_TEST_CASSANDRA ?? '127.0.0.1:9042').split(
  ':',
)

export const testNode = { contactPoints: [host], port: Number(port), localDc: 'dc1' } as const

export const newKeyspace = (): string => `tidepool_test_${randomBytes(8).toString('hex')}`

export interface TestStore {
  readonly store: Store
  readonly options: CassandraOptions
  readonly client: Client
  /** Closes the store and drops its keyspace. */
  readonly cleanup: () => Promise<void>
}

export async function cassandraTestStore(changes: Partial<CassandraOptions> = {}): Promise<TestStore> {
  const options = { ...testNode, keyspace: newKeyspace(), ...changes }
  const client = await testClient()
  try {
    await initCassandraStore({ ...options, replication: { dc1: 1 }, mode: 'home:dc1' })
    const store = await openCassandraStore(options)
    return {
      store,
      options,
      client,
      async cleanup() {
        await store.close()
        await dropKeyspace(client, options.keyspace)
        await client.shutdown()
      },
    }
  } catch (error) {
    await dropKeyspace(client, options.keyspace)
    await client.shutdown()
    throw error
  }
}

/** A plain client, to look and break things behind a store's back. */
export async function testClient(): Promise<Client> {
  const client = new Client({
    contactPoints: [`${host}:${port}`],
    localDataCenter: 'dc1',
    encoding: { useBigIntAsLong: true },
    socketOptions: { readTimeout: 30_000 },
  })
  await client.connect()
  return client
}

export async function dropKeyspace(client: Client, keyspace: string): Promise<void> {
  await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
}

/** Loses or changes one chunk behind a store's back, in every copy. */
export async function damageChunk(
  client: Client,
  keyspace: string,
  writeId: WriteId,
  seq: number,
  how: 'lost' | 'shorter' | 'longer',
): Promise<void> {
  const key = [writeId, bucketOf(seq), seq]
  const where = 'WHERE write_id = ? AND bucket = ? AND seq = ?'
  const table = `${keyspace}.chunk`
  const options = { prepare: true, consistency: types.consistencies.all }
  if (how === 'lost') {
    await client.execute(`DELETE FROM ${table} USING TIMESTAMP 1 ${where}`, key, options)
    return
  }
  const found = await client.execute(`SELECT data FROM ${table} ${where}`, key, options)
  const data = found.first()?.get('data') as Buffer
  const next = how === 'shorter' ? data.subarray(1) : Buffer.concat([data, Buffer.alloc(1)])
  await client.execute(`UPDATE ${table} SET data = ?, len = ? ${where}`, [next, next.length, ...key], {
    ...options,
    timestamp: 2,
  })
}
