/** The contract suites over a real node. All tests share one keyspace: making one takes seconds. */
import { suite } from 'uvu'
import { blobStoreContract } from '../contracts/blob-store.ts'
import { catalogueContract } from '../contracts/catalogue.ts'
import { cassandraTestStore, damageChunk, type TestStore } from '../support/cassandra-store.ts'

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
      damage: ({ writeId }, seq, how) => damageChunk(client, options.keyspace, writeId, seq, how),
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
