/** The contract suites over a real node. All tests share one keyspace: making one takes seconds. */
import { suite } from 'uvu'
import { bucketOf } from '../../pipeline/stores/cassandra/buckets.ts'
import { blobStoreContract } from '../contracts/blob-store.ts'
import { catalogueContract } from '../contracts/catalogue.ts'
import { cassandraTestStore, type TestStore } from '../support/cassandra-store.ts'

let shared: Promise<TestStore> | undefined
const open = (): Promise<TestStore> => {
  shared ??= cassandraTestStore()
  return shared
}
const stay = async (): Promise<void> => {}

catalogueContract('cassandra', async () => ({ catalogue: (await open()).store.catalogue, cleanup: stay }))

blobStoreContract(
  'cassandra',
  async () => {
    const { store, client, options } = await open()
    await client.execute(`TRUNCATE ${options.keyspace}.chunk`)
    return {
      blobs: store.blobs,
      async damage({ writeId }, seq, how) {
        const key = [writeId, bucketOf(seq), seq]
        const where = 'WHERE write_id = ? AND bucket = ? AND seq = ?'
        const table = `${options.keyspace}.chunk`
        const plain = { prepare: true, timestamp: 2 }
        if (how === 'lost') {
          await client.execute(`DELETE FROM ${table} USING TIMESTAMP 1 ${where}`, key, { prepare: true })
          return
        }
        const found = await client.execute(`SELECT data FROM ${table} ${where}`, key, { prepare: true })
        const data = found.first()?.get('data') as Buffer
        const next = how === 'shorter' ? data.subarray(1) : Buffer.concat([data, Buffer.alloc(1)])
        await client.execute(
          `UPDATE ${table} SET data = ?, len = ? ${where}`,
          [next, next.length, ...key],
          plain,
        )
      },
      lose: async () => void (await client.execute(`TRUNCATE ${options.keyspace}.chunk`)),
      cleanup: stay,
    }
  },
  { readersOutliveRemoval: false },
)

const end = suite('cassandra: the end')
end('the store closes', async () => {
  await (await open()).cleanup()
})
end.run()
