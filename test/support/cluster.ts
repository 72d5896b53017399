/** The three nodes of the ring `cluster`: a store over both data centres, and what may happen to a node. */
import { randomBytes } from 'node:crypto'
import { Client } from 'cassandra-driver'
import { systemClock } from '../../pipeline/base/clock.ts'
import { retryScope } from '../../pipeline/limit/retry.ts'
import { initCassandraStore, openCassandraStore } from '../../pipeline/stores/cassandra/index.ts'
import type { Replication } from '../../pipeline/stores/cassandra/schema.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { retrying } from '../../pipeline/stores/retrying.ts'
import { CLUSTER_NODES, clusterStart } from './cluster-nodes.ts'
import { runScript } from './runner/script.ts'

/** Two copies in dc1, so a quorum there needs both its nodes; one in dc2. */
export const COPIES: Replication = { dc1: 2, dc2: 1 }

export interface ClusterStores {
  /** Local to dc1, the home. */
  readonly home: Store
  /** Local to dc2. */
  readonly away: Store
  readonly keyspace: string
  readonly client: Client
  /**
   * Closes the stores. The keyspace stays, as long as the nodes: a change that comes late (a hint, after a node was
   * away) while its table is dropped leaves a node that refuses every later change of the schema ("Unknown CF").
   */
  readonly cleanup: () => Promise<void>
}

/** A new keyspace as each data centre opens it. */
export function newPlaces() {
  const keyspace = `tidepool_test_${randomBytes(8).toString('hex')}`
  return {
    keyspace,
    home: { contactPoints: [CLUSTER_NODES[0], CLUSTER_NODES[1]], localDc: 'dc1', keyspace },
    away: { contactPoints: [CLUSTER_NODES[2]], localDc: 'dc2', keyspace },
  }
}

/** Changes who has copies from now on. What is there is not repaired: it does not come to whoever is new. */
export async function replicate(client: Client, keyspace: string, copies: Replication): Promise<void> {
  const each = Object.entries(copies).map(([dc, count]) => `'${dc}': ${count}`)
  await client.execute(
    `ALTER KEYSPACE ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', ${each.join(', ')}}`,
  )
}

export async function clusterStores(mode = 'home:dc1'): Promise<ClusterStores> {
  const { keyspace, home, away } = newPlaces()
  const client = new Client({
    contactPoints: [...CLUSTER_NODES],
    localDataCenter: 'dc1',
    socketOptions: { readTimeout: 30_000 },
  })
  await client.connect()
  const stores: Store[] = []
  const cleanup = async (): Promise<void> => {
    await Promise.all(stores.map((store) => store.close()))
    await client.shutdown()
  }
  try {
    await initCassandraStore({ ...home, replication: COPIES, mode })
    const [one, other] = [await openCassandraStore(home), await openCassandraStore(away)]
    stores.push(one, other)
    return { home: one, away: other, keyspace, client, cleanup }
  } catch (error) {
    await cleanup()
    throw error
  }
}

/** As the commands wrap it, but giving up sooner. */
export function patient(store: Store, deadlineMs: number): Store {
  return retrying(store, {
    scope: { ...retryScope({ clock: systemClock, random: Math.random }), deadlineMs },
  })
}

/** Throws where the script says that it did not work. */
async function script(...args: readonly string[]): Promise<void> {
  const { code, output } = await runScript('cassandra.sh', args)
  if (code !== 0) throw new Error(`cassandra.sh ${args.join(' ')}: ${output}`)
}

export const killNode = (node: number): Promise<void> => script('kill', String(node))
export const pauseNode = (node: number): Promise<void> => script('pause', String(node))
export const resumeNode = (node: number): Promise<void> => script('resume', String(node))

/** Starts the nodes that were killed, and waits until they answer. */
export const startNodes = (): Promise<void> =>
  script(...clusterStart(Number(process.env.TIDEPOOL_TEST_CLUSTER_PID ?? process.pid)))
