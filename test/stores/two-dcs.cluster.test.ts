/** One keyspace over two data centres whose transactions are at home in the first: seen from the second. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf, OutcomeUnknownError } from '../../pipeline/base/errors.ts'
import { guid } from '../../pipeline/base/ids.ts'
import { initCassandraStore, openCassandraStore } from '../../pipeline/stores/cassandra/index.ts'
import type { Catalogue } from '../../pipeline/stores/contract.ts'
import { digestOf } from '../../pipeline/transfer/digest.ts'
import { blobStoreContract, extent, store } from '../contracts/blob-store.ts'
import { catalogueContract } from '../contracts/catalogue.ts'
import { aRow, aStatics, change, creation, newProjectId } from '../contracts/values.ts'
import { damageChunk } from '../support/cassandra-store.ts'
import { type ClusterStores, COPIES, clusterStores, newPlaces, replicate } from '../support/cluster.ts'
import { bytes, runSeed, seeded } from '../support/random.ts'
import { streamBytes } from '../support/stream-generator.ts'
import { fetchBytes, KIB, putBytes, putSetting } from '../support/transfer.ts'

const ROUNDS = 100

/** All tests of a mode share one keyspace: making one takes seconds. */
const opened = new Map<string, Promise<ClusterStores>>()
const open = (mode = 'home:dc1'): Promise<ClusterStores> => {
  const stores = opened.get(mode) ?? clusterStores(mode)
  opened.set(mode, stores)
  return stores
}
const stay = async (): Promise<void> => {}

// Because each transaction goes through a second client to the other data centre, and so do the reads that decide.
catalogueContract('cassandra from afar', async () => ({
  catalogue: (await open()).away.catalogue,
  cleanup: stay,
}))

const test = suite('cassandra: two data centres')
const seed = runSeed('cassandra: two data centres')

/** Who was told yes in a race of both, and how often somebody was told nothing. */
async function race(catalogues: readonly Catalogue[]): Promise<{ wins: number[]; unknown: number }> {
  const wins = catalogues.map(() => 0)
  let unknown = 0
  const id = newProjectId()
  await catalogues[0]?.apply(creation(id, aStatics()))
  for (let round = 1; round <= ROUNDS; round++) {
    const now = await catalogues[round % 2]?.read(id)
    const rev = now?.statics.rev as bigint
    const rows = catalogues.map(() => aRow({ state: 'committed' }))
    const told = await Promise.allSettled(
      catalogues.map((catalogue, n) =>
        catalogue.apply(
          change(id, { epoch: 1n, rev }, { rev: rev + 1n, head: guid(BigInt(2 * round + n)) }, [
            { kind: 'insert', row: rows[n] as (typeof rows)[0] },
          ]),
        ),
      ),
    )
    for (const each of told)
      if (each.status === 'rejected' && !(each.reason instanceof OutcomeUnknownError)) throw each.reason
    const after = await catalogues[(round + 1) % 2]?.read(id)
    const there = rows.map(({ writeId }) => after?.rows.has(writeId))
    assert.ok(there.filter(Boolean).length <= 1, `round ${round}: at most one happened`)
    for (const [n, each] of told.entries()) {
      if (each.status === 'rejected') unknown += 1
      else assert.is(there[n], each.value, `round ${round}: store ${n} was told the truth`)
      if (there[n]) wins[n] = (wins[n] ?? 0) + 1
    }
  }
  return { wins, unknown }
}

// Because two data centres that each decide among themselves would both win: with LOCAL_SERIAL in each, both did.
for (const mode of ['home:dc1', 'global']) {
  test(`of two stores in two data centres exactly one wins each transaction (mode ${mode})`, async () => {
    const stores = await open(mode)
    const { wins, unknown } = await race([stores.home.catalogue, stores.away.catalogue])
    assert.ok(unknown <= ROUNDS / 2, `${unknown} of ${2 * ROUNDS} outcomes unknown would prove little`)
    assert.ok(
      wins.reduce((sum, each) => sum + each, 0) >= ROUNDS - unknown,
      `somebody wins each round: ${wins}`,
    )
  })

  test(`what one of them says that the hosts can receive, the other knows at once (mode ${mode})`, async () => {
    const { home, away } = await open(mode)
    for (let round = 0; round < 20; round++) {
      const [one, other] = round % 2 ? [home, away] : [away, home]
      const receivable = round % 5 ? [`f${round}`] : null
      await one.catalogue.setReceivable(receivable)
      assert.equal((await other.catalogue.info()).receivable, receivable, `round ${round}`)
    }
  })
}

// Because a quorum of dc1 says nothing of dc2: what is not there yet must be missing, never other bytes.
test('what was put in one data centre reads back byte for byte in the other, at once where it is asked carefully', async () => {
  const { home, away } = await open()
  const random = seeded(seed)
  const write = extent(64 * KIB * 40 + 17)
  const chunks = await store(home.blobs, write, random)
  const reader = await away.blobs.open(write)
  let late = 0
  for (const [seq, { data }] of chunks.entries()) {
    try {
      assert.ok((await reader.get(seq)).data.equals(data), `chunk ${seq}`)
    } catch (error) {
      assert.is(codeOf(error), 'chunk-missing')
      late += 1
    }
    assert.ok((await reader.get(seq, { careful: true })).data.equals(data), `chunk ${seq}, carefully`)
  }
  await reader.close()
  assert.ok(late < chunks.length, 'most of it is there at once')
})

// Because a host in dc2 opens a project that one in dc1 has just committed, and the other way round.
test('a stream that was put through one data centre comes back through the other', async () => {
  const { home, away } = await open()
  for (const [from, to] of [
    [home, away],
    [away, home],
  ] as const) {
    const setting = await putSetting(from, newProjectId())
    const stream = await streamBytes({ seed, bytes: 2048 * KIB })
    const { writeId } = await putBytes(setting, stream)
    assert.ok((await fetchBytes({ ...setting, store: to }, writeId)).equals(stream))
  }
})

// Because a copy of the record that comes late would let streams in that not every host can receive.
test('what the store says of itself is known in dc2 though no copy of it has come there', async () => {
  const { client } = await open()
  const { keyspace, home, away } = newPlaces()
  await initCassandraStore({ ...home, replication: { dc1: 2 }, mode: 'home:dc1', receivable: ['lz4'] })
  await replicate(client, keyspace, COPIES)
  const one = await openCassandraStore(home)
  try {
    const other = await openCassandraStore(away)
    try {
      const said = async () => (await other.catalogue.info()).receivable
      assert.equal(await said(), ['lz4'])
      await replicate(client, keyspace, { dc1: 2 })
      await one.catalogue.setReceivable(['lz4', 'zstd'])
      await replicate(client, keyspace, COPIES)
      assert.equal(await said(), ['lz4', 'zstd'])
      // Of this change dc2 gets its part, and still nothing of the rest.
      await other.catalogue.setReceivable(['embedded'])
      assert.equal(await said(), ['embedded'])
      await (await openCassandraStore(away)).close()
    } finally {
      await other.close()
    }
  } finally {
    await one.close()
  }
})

// Because a copy that one data centre lost, or has wrong, is in the other: the careful look asks a majority of all.
test('a copy that dc2 does not have is found in dc1 by the careful look alone', async () => {
  const { home, away, keyspace, client } = await open()
  const write = extent(64 * KIB)
  const data = bytes(seeded(seed + 1), 64 * KIB)
  await replicate(client, keyspace, { dc1: 2 })
  const writer = await home.blobs.create(write)
  await writer.put(0, data, digestOf(data))
  await writer.close()
  await replicate(client, keyspace, COPIES)
  const reader = await away.blobs.open(write)
  assert.is(
    await reader.get(0).catch((error: unknown) => codeOf(error)),
    'chunk-missing',
    'there is no copy nearby',
  )
  assert.ok((await reader.get(0, { careful: true })).data.equals(data))
  await reader.close()
})
test.run()

// Because what a writer far from home stores and removes is decided by its own data centre's copy alone.
// In a keyspace of its own, which nothing comes to late from dc1.
let emptied: Promise<ClusterStores> | undefined
blobStoreContract(
  'cassandra from afar',
  async () => {
    emptied ??= clusterStores()
    const { away, client, keyspace } = await emptied
    await client.execute(`TRUNCATE ${keyspace}.chunk`)
    return {
      blobs: away.blobs,
      damage: ({ writeId }, seq, how) => damageChunk(client, keyspace, writeId, seq, how),
      lose: async () => void (await client.execute(`TRUNCATE ${keyspace}.chunk`)),
      cleanup: stay,
    }
  },
  { readersOutliveRemoval: false },
)

const end = suite('cassandra: two data centres: the end')
end('the stores close', async () => {
  for (const stores of opened.values()) await (await stores).cleanup()
  await (await emptied)?.cleanup()
})
end.run()
