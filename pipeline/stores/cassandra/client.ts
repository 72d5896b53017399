/** A driver's client for one data centre, with what fits a store of ours, or an error that says why there is none. */
import { readFile } from 'node:fs/promises'
import { auth, Client, type ClientOptions, errors, policies, types } from 'cassandra-driver'
import { errnoOf, StoreUnavailableError, TidepoolError } from '../../base/errors.ts'
import { reasonOf } from './errors.ts'

export interface ConnectOptions {
  /** Names or addresses of some nodes; the others are learnt from them. */
  readonly contactPoints: readonly string[]
  readonly port?: number | undefined
  readonly localDc: string
  /** A file with the certificates, in PEM, that the nodes' own are signed by. With it the connection is encrypted. */
  readonly tlsCa?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
}

export const DEFAULT_PORT = 9042
const CONNECT_TIMEOUT_MS = 5_000
/** Longer than a node waits for others when it writes (2 s) or reads (5 s): its own error says more than silence. */
const READ_TIMEOUT_MS = 8_000
const HEARTBEAT_MS = 15_000
const RECONNECT_FIRST_MS = 1_000
const RECONNECT_LAST_MS = 30_000
/** Two requests of a chunk each go out side by side: one connection writes only one large request at a time. */
const CONNECTIONS = 2
const MAX_REQUESTS_PER_CONNECTION = 1024

export async function connect(options: ConnectOptions, dc: string, signal?: AbortSignal): Promise<Client> {
  signal?.throwIfAborted()
  const client = new Client(await clientOptions(options, dc))
  const connecting = client.connect()
  try {
    await untilAborted(connecting, signal)
    return client
  } catch (error) {
    const closing = connecting
      .then(
        () => client.shutdown(),
        () => closeForgotten(client),
      )
      .catch(() => undefined) // the first failure is the one to show
    // After an abort nobody waits until the connecting has found its end.
    if (signal?.aborted) throw error
    await closing
    throw connectError(error, options, dc)
  }
}

/** The driver cannot stop connecting: after an abort nobody waits for it. */
function untilAborted(connecting: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return connecting
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    connecting.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Where a data centre is not there, the driver forgets the connection it saw that on; it would stay for ever. */
function closeForgotten(client: Client): void {
  const { controlConnection } = client as unknown as {
    readonly controlConnection?: { readonly connection?: { close?(): void } | null }
  }
  controlConnection?.connection?.close?.()
}

async function clientOptions(options: ConnectOptions, dc: string): Promise<ClientOptions> {
  const { contactPoints, port = DEFAULT_PORT, user, password, tlsCa } = options
  return {
    contactPoints: contactPoints.map((host) =>
      host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    ),
    protocolOptions: { port },
    localDataCenter: dc,
    ...(user === undefined ? {} : { authProvider: new auth.PlainTextAuthProvider(user, password ?? '') }),
    // Given sslOptions, the driver does not check certificates unless it is told to.
    ...(tlsCa === undefined
      ? {}
      : { sslOptions: { ca: await readCa(tlsCa), rejectUnauthorized: true, minVersion: 'TLSv1.2' } }),
    encoding: {
      useBigIntAsLong: true,
      useBigIntAsVarint: true,
      map: Map,
      // A chunk's bytes are the whole of their frame: copying them out only costs. Whoever keeps less copies that.
      copyBuffer: false,
    },
    pooling: {
      coreConnectionsPerHost: { [types.distance.local]: CONNECTIONS },
      maxRequestsPerConnection: MAX_REQUESTS_PER_CONNECTION,
      heartBeatInterval: HEARTBEAT_MS,
    },
    socketOptions: { connectTimeout: CONNECT_TIMEOUT_MS, readTimeout: READ_TIMEOUT_MS },
    policies: {
      // The driver's own repeats idempotent requests at once on every other node: `retrying` does it with measure.
      retry: new policies.retry.FallthroughRetryPolicy(),
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(
        RECONNECT_FIRST_MS,
        RECONNECT_LAST_MS,
      ),
    },
    queryOptions: { prepare: true, isIdempotent: false, consistency: types.consistencies.localQuorum },
  }
}

async function readCa(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new TidepoolError(
      'tls-ca-unreadable',
      `the certificates in ${path} can't be read: ${reasonOf(cause)}`,
      {
        cause,
        hint: 'Name a PEM file that this user may read.',
      },
    )
  }
}

export function connectError(error: unknown, options: ConnectOptions, dc: string): Error {
  if (error instanceof TidepoolError) return error
  const where = `${options.contactPoints.join(',')}:${options.port ?? DEFAULT_PORT}`
  const inner = innermost(error)
  const detail = (hint: string) => ({ cause: error, hint })
  if (
    inner.some(
      (each) =>
        each instanceof errors.AuthenticationError || isCode(each, types.responseErrorCodes.badCredentials),
    )
  )
    return new TidepoolError(
      'credentials-refused',
      `Cassandra at ${where} refuses ${options.user === undefined ? 'to talk without a user' : `user ${options.user}`}: ${reasonOf(error)}`,
      detail('Give a user in the URL and the password by the environment or a file.'),
    )
  const wrongDc = inner.find(
    (each) => each instanceof errors.ArgumentError && /data ?center/i.test(each.message),
  )
  if (wrongDc)
    return new TidepoolError(
      'unknown-dc',
      `Cassandra at ${where} has no data centre ${dc}: ${(wrongDc as Error).message}`,
      detail('Give one of the names that `nodetool status` shows.'),
    )
  if (inner.some(isTlsFault))
    return new TidepoolError(
      'tls-failed',
      `no encrypted connection with Cassandra at ${where}: ${reasonOf(error)}`,
      detail(
        "See that the nodes speak TLS to clients, that the file holds their issuer's certificate, and that theirs name their addresses.",
      ),
    )
  return new StoreUnavailableError(
    `Cassandra at ${where} can't be reached: ${reasonOf(error)}`,
    detail('See that it runs, that host and port are right, and that nothing between blocks them.'),
  )
}

function innermost(error: unknown): unknown[] {
  if (!(error instanceof errors.NoHostAvailableError)) return [error]
  return Object.values(error.innerErrors ?? {}).flatMap(innermost)
}

const isCode = (error: unknown, code: number): boolean =>
  error instanceof errors.ResponseError && error.code === code

/** OpenSSL's and Node's names for what is wrong with a certificate or with the talk before it. */
function isTlsFault(error: unknown): boolean {
  const code = errnoOf(error) ?? ''
  return /^(ERR_(SSL|TLS|OSSL)|CERT_|EPROTO|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA)/.test(
    code,
  )
}
