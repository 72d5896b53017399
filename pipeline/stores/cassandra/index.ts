/** A store in a Cassandra keyspace, where users outgrow one machine. */
import type { Client } from 'cassandra-driver'
import { TidepoolError } from '../../base/errors.ts'
import type { Store } from '../contract.ts'
import { cassandraBlobs } from './blobs.ts'
import { cassandraCatalogue } from './catalogue.ts'
import { type ConnectOptions, connect, DEFAULT_PORT } from './client.ts'
import {
  checkFormat,
  checkMode,
  checkReplication,
  type Expected,
  type KeyspaceInfo,
  noKeyspace,
  notInitialised,
  readInfo,
  readReplication,
} from './info.ts'
import { keyspaceName, parseMode, type Replication, replicationText } from './schema.ts'
import { Session } from './session.ts'

export { type InitOptions, initCassandraStore } from './init.ts'

export interface CassandraOptions extends ConnectOptions {
  readonly keyspace: string
  /** Must be the store's, where it is given. */
  readonly mode?: string | undefined
  /** Must be the keyspace's, where it is given. */
  readonly replication?: Replication | undefined
  /** For tests: how many rows a page of a project has. */
  readonly pageRows?: number | undefined
}

export async function openCassandraStore(
  options: CassandraOptions,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Store> {
  const keyspace = keyspaceName(options.keyspace)
  const mode = options.mode === undefined ? undefined : parseMode(options.mode)
  const sessions: Session[] = []
  const close = async (): Promise<void> => {
    await Promise.all(sessions.map((session) => session.close()))
  }
  const open = async (dc: string): Promise<Session> => {
    const session = new Session(await connect(options, dc, signal))
    sessions.push(session)
    return session
  }
  try {
    const local = await open(options.localDc)
    const { mode: stored } = await checkedInfo(local.client, keyspace, options.localDc, {
      mode,
      replication: options.replication,
    })
    // The driver speaks to one data centre only: decisions of another need a second client.
    const isAway = stored.kind === 'home' && stored.dc !== options.localDc
    const serial = isAway ? await open(stored.dc) : local
    signal?.throwIfAborted()
    return {
      kind: 'cassandra',
      url: urlOf(options),
      blobs: cassandraBlobs(local, keyspace),
      catalogue: cassandraCatalogue({
        local,
        serial,
        keyspace,
        mode: stored,
        pageRows: options.pageRows,
      }),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function checkedInfo(
  client: Client,
  keyspace: string,
  localDc: string,
  given: Expected,
): Promise<KeyspaceInfo> {
  const replication = await readReplication(client, keyspace)
  if (!replication) throw noKeyspace(keyspace)
  checkReplication(keyspace, replication, given.replication)
  if (!(localDc in replication))
    throw new TidepoolError(
      'unknown-dc',
      `keyspace ${keyspace} has no copies in ${localDc}, only ${replicationText(replication)}`,
      { hint: 'Give a data centre that has copies, or give this one some with ALTER KEYSPACE.' },
    )
  const info = await readInfo(client, keyspace)
  if (!info) throw notInitialised(keyspace)
  checkFormat(keyspace, info)
  checkMode(keyspace, info.mode, given.mode)
  return info
}

function urlOf({ contactPoints, port = DEFAULT_PORT, keyspace, localDc }: CassandraOptions): string {
  return `cassandra://${contactPoints.join(',')}:${port}/${keyspace}?dc=${localDc}`
}
