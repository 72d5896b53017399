/**
 * How fast a scrub sees that 100,000 chunks are there in Cassandra. The rows have their keys and lengths and next to no
 * data, because 6 GiB take minutes to put: what is measured is the asking, which the bytes are no part of.
 */
import { types } from 'cassandra-driver'
import { projectId } from '../pipeline/base/ids.ts'
import { createProject } from '../pipeline/graph/transitions/life.ts'
import { bucketOf } from '../pipeline/stores/cassandra/buckets.ts'
import { cassandraTestStore, type TestStore } from '../test/support/cassandra-store.ts'
import { needs } from '../test/support/runner/needs.ts'
import { spread } from './pairs.ts'
import type { Row, Suite } from './report.ts'
import { CHUNK_BYTES, commitUnread, type Shape, scrubOnce } from './scrub.ts'

const ROUNDS = 3

const SHAPES: readonly Shape[] = [
  { name: '100,000 chunks in 1 write', projects: 1, writes: 1, chunks: 100_000 },
  { name: '100,000 chunks in 1,000 writes of 200 projects', projects: 200, writes: 5, chunks: 100 },
]

export const scrubCassandra: Suite = async () => {
  const node = await needs.cassandra(new AbortController().signal)
  if ('missing' in node) throw new Error(`no Cassandra: ${node.missing}`)
  const address = node.env.TIDEPOOL_TEST_CASSANDRA ?? '127.0.0.1:9042'
  try {
    const rows: Row[] = []
    for (const shape of SHAPES) rows.push(...(await measure(address, shape)))
    return rows
  } finally {
    await node.end()
  }
}

async function measure(address: string, shape: Shape): Promise<Row[]> {
  const test = await cassandraTestStore()
  try {
    for (let p = 0; p < shape.projects; p++) {
      const id = projectId(`p${p}`)
      await test.store.catalogue.apply(createProject(id, { owner: null, nowMs: 0 }))
      for (let w = 0; w < shape.writes; w++)
        await commitUnread(test.store, id, w, shape.chunks, ({ writeId }) =>
          putKeys(test, id, writeId, shape.chunks),
        )
    }
    const found = []
    for (let round = 0; round < ROUNDS; round++)
      found.push(await scrubOnce(`cassandra://${address}/${test.options.keyspace}?dc=dc1`, shape))
    const rate = spread(found.map(({ seconds, checkedChunks }) => checkedChunks / seconds))
    const rss = spread(found.map(({ highestRssKib }) => highestRssKib / 1024))
    return [
      { name: `present, ${shape.name}`, value: rate.median, spread: rate, unit: 'chunks/s' },
      {
        name: `present, ${shape.name}: highest RSS`,
        value: rss.median,
        spread: rss,
        unit: 'MiB',
        target: { atMost: 180 },
      },
    ]
  } finally {
    await test.cleanup()
  }
}

async function putKeys(
  { client, options }: TestStore,
  project: string,
  writeId: string,
  chunks: number,
): Promise<void> {
  const insertion = `INSERT INTO ${options.keyspace}.chunk (write_id, bucket, seq, project_id, len, sha256, data) VALUES (?, ?, ?, ?, ?, ?, ?)`
  const data = Buffer.alloc(32, 1)
  let next = 0
  const put = async (): Promise<void> => {
    while (next < chunks) {
      const seq = next++
      const values = [writeId, bucketOf(seq), seq, project, CHUNK_BYTES, data, data]
      await client.execute(insertion, values, { prepare: true, consistency: types.consistencies.localQuorum })
    }
  }
  await Promise.all(Array.from({ length: 64 }, put))
}
