import { suite } from 'uvu'
import { bucketOf } from '../../pipeline/stores/cassandra/buckets.ts'
import { scrubContract } from '../contracts/scrub.ts'
import { cassandraTestStore, type TestStore } from '../support/cassandra-store.ts'

/** All tests share one keyspace, emptied before each: making one takes seconds. */
let shared: Promise<TestStore> | undefined
const open = (): Promise<TestStore> => {
  shared ??= cassandraTestStore()
  return shared
}

scrubContract('cassandra', async () => {
  const { store, client, options } = await open()
  for (const table of ['chunk', 'project', 'host', 'writing', 'note'])
    await client.execute(`TRUNCATE ${options.keyspace}.${table}`)
  return {
    store,
    async lose({ writeId }, seq) {
      const where = 'WHERE write_id = ? AND bucket = ? AND seq = ?'
      await client.execute(
        `DELETE FROM ${options.keyspace}.chunk USING TIMESTAMP 1 ${where}`,
        [writeId, bucketOf(seq), seq],
        { prepare: true },
      )
    },
    cleanup: async () => {},
  }
})

const end = suite('cassandra: scrub: the end')
end('the store closes', async () => {
  await (await open()).cleanup()
})
end.run()
