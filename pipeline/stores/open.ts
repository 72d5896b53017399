/**
 * From a store's URL to a store that is ready for work: its driver, loaded only when it is used, wrapped so that what
 * may be tried again is, and the one budget for all work on it.
 */
import { systemClock } from '../base/clock.ts'
import { TidepoolError } from '../base/errors.ts'
import { MIB } from '../base/units.ts'
import { adaptiveLimiter, fixedLimiter, type Limiter } from '../limit/limiter.ts'
import { retryScope } from '../limit/retry.ts'
import type { Store } from './contract.ts'
import { retrying, type StoreAttempt } from './retrying.ts'
import { cassandraPassword, type Environment } from './secrets.ts'
import { type CassandraUrl, parseStoreUrl, type StoreUrl } from './url.ts'

export interface OpenedStore {
  readonly store: Store
  readonly limiter: Limiter
  /** Ends all of it. May be called twice. */
  close(): Promise<void>
}

export interface OpenOptions {
  /** Where secrets are. @default process.env */
  readonly env?: Environment
  readonly signal?: AbortSignal | undefined
  /** Hears of every attempt of every call on the store, when it has ended. */
  readonly onAttempt?: (attempt: StoreAttempt) => void
}

/** With the 1 MiB chunks of a directory: enough to keep a disk busy, little enough to wait for at an abort. */
const DIRECTORY_CHUNKS = 8
/** A node with a heap of 1 GiB takes 25 MiB at a time from one address; what is more waits in its sockets. */
const CASSANDRA_BYTES = 16 * MIB
/** Fewer leave a node idle between two chunks, however slow it seems. */
const CASSANDRA_CHUNKS = 16

export async function openStore(url: string, options: OpenOptions = {}): Promise<OpenedStore> {
  const parsed = parseStoreUrl(url)
  const store = await openDriver(parsed, options)
  const limiter = limiterFor(store)
  const scope = retryScope({ clock: systemClock, random: Math.random })
  const wrapped = retrying(store, { scope, limiter, onAttempt: options.onAttempt })
  return { store: wrapped, limiter, close: () => wrapped.close() }
}

export interface InitOptions extends OpenOptions {
  /** Stream features that every host of the store can receive; left out, nothing is refused. */
  readonly receivable?: readonly string[] | undefined
}

/** Makes the store, or finds it made; what it did, a line each, for people. Idempotent, also after a crash in its middle. */
export async function initStore(url: string, options: InitOptions = {}): Promise<string[]> {
  const parsed = parseStoreUrl(url)
  const { receivable, signal } = options
  signal?.throwIfAborted()
  if (parsed.kind === 'cassandra') {
    const { initCassandraStore } = await import('./cassandra/index.ts')
    return initCassandraStore({ ...(await withPassword(parsed, options)), receivable }, { signal })
  }
  const { initDirectoryStore } = await import('./directory/index.ts')
  const { created } = await initDirectoryStore(parsed.path, receivable ? { receivable } : {})
  return [created ? `made a store in ${parsed.path}` : `there is a store in ${parsed.path} already`]
}

/** Each driver's libraries cost start-up time and tens of MiB, so only the one that is used is loaded. */
async function openDriver(url: StoreUrl, options: OpenOptions): Promise<Store> {
  options.signal?.throwIfAborted()
  if (url.kind === 'cassandra') {
    const { openCassandraStore } = await import('./cassandra/index.ts')
    return openCassandraStore(await withPassword(url, options), options)
  }
  const { openDirectoryStore } = await import('./directory/index.ts')
  return openDirectoryStore(url.path)
}

async function withPassword(url: CassandraUrl, { env = process.env }: OpenOptions) {
  const password = await cassandraPassword(env)
  if (password !== undefined && url.user === undefined)
    throw new TidepoolError('bad-store-url', 'a password is given, but the store URL names no user', {
      hint: 'Add &user=NAME to the URL, or take the password out of the environment.',
    })
  return { ...url, password }
}

function limiterFor({ kind, blobs }: Store): Limiter {
  if (kind === 'cassandra')
    return adaptiveLimiter({
      clock: systemClock,
      maxBytes: CASSANDRA_BYTES,
      latencyMin: CASSANDRA_CHUNKS,
    })
  return fixedLimiter({ count: DIRECTORY_CHUNKS, maxBytes: DIRECTORY_CHUNKS * blobs.defaultChunkBytes })
}
