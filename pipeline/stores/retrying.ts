/**
 * A store whose calls are tried again while that may help. What must not be done twice without a look in between
 * (a transaction of unknown outcome) comes through as it is; a list that has yielded something already is not begun
 * again, unless it can go on where it stopped.
 */
import type { Limiter } from '../limit/limiter.ts'
import { type RetryScope, retry } from '../limit/retry.ts'
import type {
  BlobReader,
  BlobStore,
  BlobWriter,
  CallOptions,
  Catalogue,
  Store,
  StoredEntry,
} from './contract.ts'

export interface RetryingOptions {
  readonly scope: RetryScope
  /** Hears of every attempt to move a chunk. */
  readonly limiter?: Limiter
}

type Again = <T>(what: string, options: CallOptions | undefined, operation: () => Promise<T>) => Promise<T>

/** What is compared with each other when it comes to speed: chunks that go the same way and have the same size. */
type MoveChunk = <T>(kind: string, ...call: [string, CallOptions | undefined, () => Promise<T>]) => Promise<T>

export function retrying(store: Store, { scope, limiter }: RetryingOptions): Store {
  const again: Again = (what, options, operation) =>
    retry(operation, { ...scope, what, signal: options?.signal })
  const moveChunk: MoveChunk = (kind, what, options, operation) =>
    retry(operation, {
      ...scope,
      what,
      signal: options?.signal,
      ...(limiter && { onAttempt: (attempt) => limiter.observe({ ...attempt, kind }) }),
    })
  return {
    ...store,
    blobs: retryingBlobs(store.blobs, again, moveChunk, scope),
    catalogue: retryingCatalogue(store.catalogue, again, scope),
    close: () => store.close(),
  }
}

function retryingBlobs(blobs: BlobStore, again: Again, moveChunk: MoveChunk, scope: RetryScope): BlobStore {
  return {
    defaultChunkBytes: blobs.defaultChunkBytes,
    create: (write, options) =>
      again(`beginning write ${write.writeId}`, options, async () => {
        const writer = await blobs.create(write, options)
        return {
          put: (seq, data, digest, options) =>
            moveChunk(
              `put ${write.chunkBytes}`,
              `put of chunk ${seq} of write ${write.writeId}`,
              options,
              () => writer.put(seq, data, digest, options),
            ),
          seal: (options) => again(`sealing write ${write.writeId}`, options, () => writer.seal(options)),
          close: () => writer.close(),
        } satisfies BlobWriter
      }),
    open: (write, options) =>
      again(`opening write ${write.writeId}`, options, async () => {
        const reader = await blobs.open(write, options)
        return {
          get: (seq, options) =>
            moveChunk(
              `get ${write.chunkBytes}`,
              `get of chunk ${seq} of write ${write.writeId}`,
              options,
              () => reader.get(seq, options),
            ),
          close: () => reader.close(),
        } satisfies BlobReader
      }),
    remove: (write, options) =>
      again(`removal of write ${write.writeId}`, options, () => blobs.remove(write, options)),
    missing: (write, options) =>
      resumed<number, number>(`looking through write ${write.writeId}`, scope, options, {
        open: () => blobs.missing(write, options),
        mark: (seq) => seq,
        isBehind: (seq, mark) => seq <= mark,
      }),
    mend: (write, seq, chunk, options) =>
      again(`mending chunk ${seq} of write ${write.writeId}`, options, () =>
        blobs.mend(write, seq, chunk, options),
      ),
    stored: (options) =>
      resumed<StoredEntry, string>('looking through what is stored', scope, options, {
        open: (after) => blobs.stored({ ...options, ...(after !== undefined && { after }) }),
        mark: (entry) => entry.cursor,
        isBehind: () => false,
      }),
    removeStored: (entry, options) =>
      again(`removal of ${entry.what}`, options, () => blobs.removeStored(entry, options)),
    close: () => blobs.close(),
  }
}

function retryingCatalogue(catalogue: Catalogue, again: Again, scope: RetryScope): Catalogue {
  const list = <Item>(
    what: string,
    options: CallOptions | undefined,
    open: () => AsyncIterable<Item>,
  ): AsyncIterable<Item> => resumed<Item, never>(what, scope, options, { open })
  return {
    info: (options) => again('reading what the store is', options, () => catalogue.info(options)),
    read: (project, options) =>
      again(`reading project ${project}`, options, () => catalogue.read(project, options)),
    apply: (transaction, options) =>
      again(transaction.what, options, () => catalogue.apply(transaction, options)),
    projects: (options) => list('listing projects', options, () => catalogue.projects(options)),
    readHost: (host, options) =>
      again(`reading host ${host}`, options, () => catalogue.readHost(host, options)),
    applyHost: (transaction, options) =>
      again(transaction.what, options, () => catalogue.applyHost(transaction, options)),
    hosts: (options) => list('listing hosts', options, () => catalogue.hosts(options)),
    noteWriting: (host, entry, options) =>
      again(`noting write ${entry.row.writeId}`, options, () => catalogue.noteWriting(host, entry, options)),
    forgetWriting: (host, writeId, options) =>
      again(`forgetting the note of write ${writeId}`, options, () =>
        catalogue.forgetWriting(host, writeId, options),
      ),
    writing: (host, options) =>
      list(`listing writes of host ${host}`, options, () => catalogue.writing(host, options)),
    log: (entry, options) => again('writing the log', options, () => catalogue.log(entry, options)),
    logged: (day, options) => list('reading the log', options, () => catalogue.logged(day, options)),
    readNote: (name, options) =>
      again(`reading note ${name}`, options, () => catalogue.readNote(name, options)),
    writeNote: (name, text, options) =>
      again(`writing note ${name}`, options, () => catalogue.writeNote(name, text, options)),
    nowMs: (options) => again("asking for the store's time", options, () => catalogue.nowMs(options)),
    close: () => catalogue.close(),
  }
}

interface Resumable<Item, Mark> {
  /** Begins behind `mark` where it can, else from the start. */
  readonly open: (mark?: Mark) => AsyncIterable<Item>
  /** Without these two the list can't go on in the middle. */
  readonly mark?: (item: Item) => Mark
  readonly isBehind?: (item: Item, mark: Mark) => boolean
}

async function* resumed<Item, Mark>(
  what: string,
  scope: RetryScope,
  options: CallOptions | undefined,
  { open, mark, isBehind }: Resumable<Item, Mark>,
): AsyncGenerator<Item> {
  let last: { readonly mark: Mark } | undefined
  let yielded = false
  let items: AsyncIterator<Item> | undefined
  const next = async (): Promise<IteratorResult<Item>> => {
    items ??= open(last?.mark)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const item = await items.next()
        if (item.done || !last || !isBehind?.(item.value, last.mark)) return item
      }
    } catch (error) {
      // An iterator that threw has ended: the next attempt opens another.
      items = undefined
      throw error
    }
  }
  try {
    for (;;) {
      const mayRetry = !yielded || mark !== undefined
      const item = mayRetry ? await retry(next, { ...scope, what, signal: options?.signal }) : await next()
      if (item.done) return
      if (mark) last = { mark: mark(item.value) }
      yielded = true
      yield item.value
    }
  } finally {
    await items?.return?.()
  }
}
