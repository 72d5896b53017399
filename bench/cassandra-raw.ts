/**
 * The yardstick for the Cassandra store: the same driver in a bare loop, a fixed number of requests under way, into a
 * table of the same kind with nothing in it but keys and bytes. No digests, no limits, no retries, no transactions.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { Client, policies, types } from 'cassandra-driver'
import { MIB } from '../pipeline/base/units.ts'
import { bucketOf } from '../pipeline/stores/cassandra/buckets.ts'
import { chunkOptions } from '../pipeline/stores/cassandra/schema.ts'
import { bytes as randomData, seeded } from '../test/support/random.ts'

export interface RawNode {
  readonly contactPoint: string
  readonly port: number
  readonly localDc: string
}

export interface RawRate {
  readonly mibPerSecond: number
  /** Of this process alone, the node's not counted. */
  readonly cpuSecondsPerGib: number
}

/** Which of these is best differs from node to node: the yardstick is the best of them. */
export const WINDOWS_MIB: readonly number[] = [4, 8, 16, 32]

/** Enough different chunks that the node can't gain from seeing one again. */
const DISTINCT_BYTES = 32 * MIB

export class RawLoop {
  readonly #client: Client
  readonly #keyspace: string
  readonly #chunks: readonly Buffer[]
  readonly chunkBytes: number
  #last: { readonly writeId: string; readonly count: number } | undefined

  private constructor(client: Client, keyspace: string, chunkBytes: number) {
    this.#client = client
    this.#keyspace = keyspace
    this.chunkBytes = chunkBytes
    this.#chunks = halfCompressible(chunkBytes)
  }

  /** In a keyspace of its own, which `close` drops. */
  static async open(node: RawNode, chunkBytes: number): Promise<RawLoop> {
    const client = new Client({
      contactPoints: [`${node.contactPoint}:${node.port}`],
      localDataCenter: node.localDc,
      // As the store's own client: its best form, not its defaults.
      pooling: { coreConnectionsPerHost: { [types.distance.local]: 2 }, maxRequestsPerConnection: 1024 },
      encoding: { copyBuffer: false },
      policies: { retry: new policies.retry.FallthroughRetryPolicy() },
      socketOptions: { readTimeout: 60_000 },
    })
    await client.connect()
    const keyspace = `tidepool_raw_${randomBytes(6).toString('hex')}`
    const [{ release_version: release }] = (await client.execute('SELECT release_version FROM system.local'))
      .rows as unknown as [{ release_version: string }]
    await client.execute(
      `CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', '${node.localDc}': 1}`,
    )
    await client.execute(
      `CREATE TABLE ${keyspace}.chunk (write_id text, bucket int, seq int, data blob, PRIMARY KEY ((write_id, bucket), seq)) WITH ${chunkOptions(release)}`,
    )
    return new RawLoop(client, keyspace, chunkBytes)
  }

  /** Inserts so many bytes under a fresh key, always `windowBytes` of them under way. */
  async put(bytes: number, windowBytes: number): Promise<RawRate> {
    const writeId = randomUUID()
    const query = `INSERT INTO ${this.#keyspace}.chunk (write_id, bucket, seq, data) VALUES (?, ?, ?, ?)`
    const options = { prepare: true, isIdempotent: true, consistency: types.consistencies.localQuorum }
    const count = Math.ceil(bytes / this.chunkBytes)
    const rate = await this.#timed(count, windowBytes, (seq) =>
      this.#client.execute(
        query,
        [writeId, bucketOf(seq), seq, this.#chunks[seq % this.#chunks.length]],
        options,
      ),
    )
    this.#last = { writeId, count }
    return rate
  }

  /** Reads what the last `put` wrote. */
  async get(windowBytes: number): Promise<RawRate> {
    if (!this.#last) throw new Error('nothing was put that could be read')
    const { writeId, count } = this.#last
    const query = `SELECT data FROM ${this.#keyspace}.chunk WHERE write_id = ? AND bucket = ? AND seq = ?`
    const options = { prepare: true, isIdempotent: true, consistency: types.consistencies.localOne }
    return this.#timed(count, windowBytes, async (seq) => {
      const data: Buffer = (await this.#client.execute(query, [writeId, bucketOf(seq), seq], options))
        .first()
        .get('data')
      if (data.length !== this.chunkBytes) throw new Error(`chunk ${seq} has ${data.length} bytes`)
    })
  }

  /** Makes room on the node's disk between two measurements. */
  async empty(): Promise<void> {
    this.#last = undefined
    await this.#client.execute(`TRUNCATE ${this.#keyspace}.chunk`)
  }

  async close(): Promise<void> {
    await this.#client.execute(`DROP KEYSPACE ${this.#keyspace}`)
    await this.#client.shutdown()
  }

  async #timed(count: number, windowBytes: number, one: (seq: number) => Promise<unknown>): Promise<RawRate> {
    const startedMs = performance.now()
    const cpuBefore = process.cpuUsage()
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < count) await one(next++)
    }
    const workers = Math.max(1, Math.floor(windowBytes / this.chunkBytes))
    await Promise.all(Array.from({ length: workers }, worker))
    const seconds = (performance.now() - startedMs) / 1000
    const { user, system } = process.cpuUsage(cpuBefore)
    const mib = (count * this.chunkBytes) / MIB
    return { mibPerSecond: mib / seconds, cpuSecondsPerGib: (user + system) / 1e6 / (mib / 1024) }
  }
}

/** Every second 4 KiB zero, the others random: what the streams of the other benchmarks are like. */
function halfCompressible(chunkBytes: number): Buffer[] {
  const random = seeded(1)
  return Array.from({ length: Math.ceil(DISTINCT_BYTES / chunkBytes) }, () => {
    const data = randomData(random, chunkBytes)
    for (let at = 0; at < chunkBytes; at += 8192) data.fill(0, at, Math.min(at + 4096, chunkBytes))
    return data
  })
}
