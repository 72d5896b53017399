import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dropKeyspace, newKeyspace, testClient, testNode } from '../support/cassandra-store.ts'
import { tidepool } from '../support/command.ts'
import { killPuts } from '../support/kill.ts'
import { runSeed, seeded } from '../support/random.ts'

const test = suite('puts into Cassandra that are killed')
const rounds = Math.ceil(50 * Number(process.env.TIDEPOOL_LONG ?? 0.1))

test(`after ${rounds} kills and a scrub there is nothing but committed data`, async () => {
  const random = seeded(runSeed('kill'))
  const { contactPoints, port, localDc } = testNode
  const keyspace = newKeyspace()
  const url = `cassandra://${contactPoints}:${port}/${keyspace}?dc=${localDc}`
  const client = await testClient()
  try {
    const { code, stderr } = await tidepool(['--store', `${url}&rf=${localDc}:1`, 'store', 'init'])
    assert.is(code, 0, stderr)
    const { killed, finished } = await killPuts(url, rounds, random)
    process.stderr.write(`${killed} killed, ${finished} finished before\n`)
    assert.ok(killed > 0)
  } finally {
    await dropKeyspace(client, keyspace)
    await client.shutdown()
  }
})

test.run()
