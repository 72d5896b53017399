/** What doctor says of a real Cassandra: its format, that a serial read is answered, the clocks of its nodes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { clock, consistency, schema } from '../../daemon/doctor/checks/store.ts'
import { examine } from '../../daemon/doctor/examine.ts'
import { cassandraTestStore } from '../support/cassandra-store.ts'
import { config, wellWorld } from '../support/doctor-world.ts'

const test = suite('doctor on Cassandra')

test('format, consistency and clocks are told by the store itself', async () => {
  const { store, options, cleanup } = await cassandraTestStore()
  try {
    const url = `cassandra://127.0.0.1:9042/${options.keyspace}?dc=dc1`
    const world = wellWorld({
      config: { ...config(), store: url },
      store: async () => store,
      nowMs: Date.now,
      fileTimeMs: () => Promise.reject(new Error('a Cassandra has no files')),
    })
    const { signal } = new AbortController()
    const lines = await examine(world, [schema, consistency, clock], { signal })
    assert.equal(
      lines.map(({ verdict }) => verdict),
      ['ok', 'ok', 'ok'],
      JSON.stringify(lines),
    )
    const away = { ...world, nowMs: () => Date.now() + 90_000 }
    assert.is((await examine(away, [clock], { signal }))[0]?.verdict, 'fail')
  } finally {
    await cleanup()
  }
})

test.run()
