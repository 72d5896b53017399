/**
 * Puts and gets through Cassandra beside a bare loop of the same driver on the same node with the same chunk size: what
 * is between the two is all ours. The loop's window is the best of several, found first.
 */
import { randomBytes } from 'node:crypto'
import { Client } from 'cassandra-driver'
import { newHostId, newSessionId, projectId } from '../pipeline/base/ids.ts'
import { KIB, MIB } from '../pipeline/base/units.ts'
import { createProject } from '../pipeline/graph/transitions/life.ts'
import { initStore, openStore } from '../pipeline/stores/open.ts'
import { download } from '../pipeline/transfer/download.ts'
import { type Put, putStream } from '../pipeline/transfer/put.ts'
import { extentOf } from '../pipeline/transfer/restore.ts'
import { needs } from '../test/support/runner/needs.ts'
import { streamBytes } from '../test/support/stream-generator.ts'
import { RawLoop, type RawNode, type RawRate, WINDOWS_MIB } from './cassandra-raw.ts'
import { inPairs, spread } from './pairs.ts'
import { pairedRow, type Row, type Settings, type Suite } from './report.ts'

/** What is between 256 KiB and 1 MiB is what vendors call large but good. */
const CHUNKS_KIB = [256, 512, 1024]
/** Long enough that the commit of a put does not count, short enough for a node with a small heap and a busy disk. */
const BYTES = 256 * MIB
const TARGET = { atLeast: 0.9 }

export const cassandra: Suite = async (settings) => {
  const node = await needs.cassandra(new AbortController().signal)
  if ('missing' in node) throw new Error(`no Cassandra: ${node.missing}`)
  const address = node.env.TIDEPOOL_TEST_CASSANDRA ?? '127.0.0.1:9042'
  try {
    const stream = await streamBytes({ seed: 1, bytes: BYTES, toGuid: 1n, halfCompressible: true })
    const rows: Row[] = []
    for (const chunkKib of CHUNKS_KIB)
      rows.push(...(await compare(address, chunkKib * KIB, stream, settings)))
    return rows
  } finally {
    await node.end()
  }
}

async function compare(
  address: string,
  chunkBytes: number,
  stream: Buffer,
  { pairs, random }: Settings,
): Promise<Row[]> {
  const [contactPoint = '', port = '9042'] = address.split(':')
  const node: RawNode = { contactPoint, port: Number(port), localDc: 'dc1' }
  const raw = await RawLoop.open(node, chunkBytes)
  const ours = await Ours.open(address, chunkBytes, stream)
  const title = `chunks of ${chunkBytes / KIB} KiB`
  try {
    const cpu = { ours: [] as number[], raw: [] as number[] }
    const note = (): string =>
      `CPU of the client ${spread(cpu.ours).median.toFixed(1)} s/GiB, of the loop ${spread(cpu.raw).median.toFixed(1)}`
    const rateOf = (rate: RawRate, into: number[]): number => {
      into.push(rate.cpuSecondsPerGib)
      return rate.mibPerSecond
    }
    await raw.put(BYTES, 8 * MIB)
    await ours.put()
    const putWindow = await bestWindow((window) => raw.put(BYTES, window))
    const puts = await inPairs(
      pairs,
      random,
      async () => rateOf(await ours.put(), cpu.ours),
      async () => rateOf(await raw.put(BYTES, putWindow), cpu.raw),
    )
    const putRow = pairedRow(
      `put, ${title}`,
      `bare inserts, ${putWindow / MIB} MiB under way:`,
      puts,
      TARGET,
      note(),
    )
    cpu.ours = []
    cpu.raw = []
    const getWindow = await bestWindow((window) => raw.get(window))
    const gets = await inPairs(
      pairs,
      random,
      async () => rateOf(await ours.get(), cpu.ours),
      async () => rateOf(await raw.get(getWindow), cpu.raw),
    )
    return [
      putRow,
      pairedRow(`get, ${title}`, `bare reads, ${getWindow / MIB} MiB under way:`, gets, TARGET, note()),
    ]
  } finally {
    await ours.close()
    await raw.close()
  }
}

async function bestWindow(measure: (windowBytes: number) => Promise<RawRate>): Promise<number> {
  let best = { windowBytes: 0, rate: 0 }
  for (const windowMib of WINDOWS_MIB) {
    const windowBytes = windowMib * MIB
    const { mibPerSecond: rate } = await measure(windowBytes)
    if (rate > best.rate) best = { windowBytes, rate }
  }
  return best.windowBytes
}

/** What the command does, in this process: the store with its retries and its limiter, the parser, the digests, the commit. */
class Ours {
  readonly #opened: Awaited<ReturnType<typeof openStore>>
  readonly #chunkBytes: number
  readonly #stream: Buffer
  readonly #drop: () => Promise<void>
  #last: Put | undefined
  #projects = 0

  private constructor(
    opened: Awaited<ReturnType<typeof openStore>>,
    chunkBytes: number,
    stream: Buffer,
    drop: () => Promise<void>,
  ) {
    this.#opened = opened
    this.#chunkBytes = chunkBytes
    this.#stream = stream
    this.#drop = drop
  }

  static async open(address: string, chunkBytes: number, stream: Buffer): Promise<Ours> {
    const keyspace = `tidepool_bench_${randomBytes(6).toString('hex')}`
    const url = `cassandra://${address}/${keyspace}?dc=dc1`
    await initStore(`${url}&rf=dc1:1&mode=home:dc1`)
    const drop = async (): Promise<void> => {
      const client = new Client({ contactPoints: [address], localDataCenter: 'dc1' })
      await client.execute(`DROP KEYSPACE ${keyspace}`)
      await client.shutdown()
    }
    return new Ours(await openStore(url), chunkBytes, stream, drop)
  }

  async put(): Promise<RawRate> {
    const { store, limiter } = this.#opened
    const host = newHostId()
    const project = projectId(`p${++this.#projects}`)
    await store.catalogue.apply(createProject(project, { owner: host, nowMs: 0 }))
    const setting = { store, limiter, project, host, session: newSessionId(), chunkBytes: this.#chunkBytes }
    return timed(async () => {
      this.#last = await putStream(() => slices(this.#stream), setting)
    })
  }

  async get(): Promise<RawRate> {
    const { store, limiter } = this.#opened
    const last = this.#last
    const row = last?.project.rows.get(last.writeId)
    if (!last || !row) throw new Error('nothing was put that could be read')
    return timed(async () => {
      for await (const _ of download(store.blobs, extentOf(last.project.id, row), {
        limiter,
        priority: 'open',
      }));
    })
  }

  async close(): Promise<void> {
    await this.#opened.close()
    await this.#drop()
  }
}

async function* slices(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += MIB) yield bytes.subarray(at, at + MIB)
}

async function timed(work: () => Promise<void>): Promise<RawRate> {
  const startedMs = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - startedMs) / 1000
  return {
    mibPerSecond: BYTES / MIB / seconds,
    cpuSecondsPerGib: (user + system) / 1e6 / (BYTES / MIB / 1024),
  }
}
