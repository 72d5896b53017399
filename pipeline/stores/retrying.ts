/**
 * A store whose calls are tried again while that may help. What must not be done twice without a look in between
 * (a transaction of unknown outcome) comes through as it is; a list that has yielded something already is not begun
 * again, unless it can go on where it stopped.
 */
import type { Limiter } from '../limit/limiter.ts'
import { type AttemptReport, type RetryScope, retry } from '../limit/retry.ts'
import type {
  BlobReader,
  BlobStore,
  BlobWriter,
  CallOptions,
  Catalogue,
  Store,
  StoredEntry,
} from './contract.ts'

/** Every call that is tried again, by its name in the contract. */
export const STORE_CALLS = [
  'create',
  'put',
  'seal',
  'open',
  'get',
  'remove',
  'missing',
  'mend',
  'stored',
  'removeStored',
  'info',
  'setReceivable',
  'read',
  'apply',
  'projects',
  'readHost',
  'applyHost',
  'hosts',
  'noteWriting',
  'forgetWriting',
  'writing',
  'log',
  'logged',
  'readNote',
  'writeNote',
  'nowMs',
] as const

export type StoreCall = (typeof STORE_CALLS)[number]

export interface StoreAttempt extends AttemptReport {
  readonly call: StoreCall
  /** For people: which chunk of which write. */
  readonly what: string
}

export interface RetryingOptions {
  readonly scope: RetryScope
  /** Hears of every attempt to move a chunk. */
  readonly limiter?: Limiter
  /** Hears of every attempt of every call, when it has ended. */
  readonly onAttempt?: ((attempt: StoreAttempt) => void) | undefined
}

type Again = <T>(
  call: StoreCall,
  what: string,
  options: CallOptions | undefined,
  operation: () => Promise<T>,
  /** What is compared with each other when it comes to speed: chunks that go the same way and have the same size. */
  kind?: string,
) => Promise<T>

export function retrying(store: Store, { scope, limiter, onAttempt }: RetryingOptions): Store {
  const again: Again = (call, what, options, operation, kind) => {
    // A listing is a call for each of its items, and mostly nobody hears of them.
    const observer = kind === undefined ? undefined : limiter
    return retry(operation, {
      ...scope,
      what,
      signal: options?.signal,
      ...((observer || onAttempt) && {
        onAttempt: (attempt: AttemptReport) => {
          if (kind !== undefined) observer?.observe({ ...attempt, kind })
          onAttempt?.({ ...attempt, call, what })
        },
      }),
    })
  }
  return {
    ...store,
    blobs: retryingBlobs(store.blobs, again),
    catalogue: retryingCatalogue(store.catalogue, again),
    close: () => store.close(),
  }
}

function retryingBlobs(blobs: BlobStore, again: Again): BlobStore {
  return {
    defaultChunkBytes: blobs.defaultChunkBytes,
    create: (write, options) =>
      again('create', `beginning write ${write.writeId}`, options, async () => {
        const writer = await blobs.create(write, options)
        return {
          put: (seq, data, digest, options) =>
            again(
              'put',
              `put of chunk ${seq} of write ${write.writeId}`,
              options,
              () => writer.put(seq, data, digest, options),
              `put ${write.chunkBytes}`,
            ),
          seal: (options) =>
            again('seal', `sealing write ${write.writeId}`, options, () => writer.seal(options)),
          close: () => writer.close(),
        } satisfies BlobWriter
      }),
    open: (write, options) =>
      again('open', `opening write ${write.writeId}`, options, async () => {
        const reader = await blobs.open(write, options)
        return {
          get: (seq, options) =>
            again(
              'get',
              `get of chunk ${seq} of write ${write.writeId}`,
              options,
              () => reader.get(seq, options),
              `get ${write.chunkBytes}`,
            ),
          close: () => reader.close(),
        } satisfies BlobReader
      }),
    remove: (write, options) =>
      again('remove', `removal of write ${write.writeId}`, options, () => blobs.remove(write, options)),
    missing: (write, options) =>
      resumed<number, number>('missing', `looking through write ${write.writeId}`, again, options, {
        open: () => blobs.missing(write, options),
        mark: (seq) => seq,
        isBehind: (seq, mark) => seq <= mark,
      }),
    mend: (write, seq, chunk, options) =>
      again('mend', `mending chunk ${seq} of write ${write.writeId}`, options, () =>
        blobs.mend(write, seq, chunk, options),
      ),
    stored: (options) =>
      resumed<StoredEntry, string>('stored', 'looking through what is stored', again, options, {
        open: (after) => blobs.stored({ ...options, ...(after !== undefined && { after }) }),
        mark: (entry) => entry.cursor,
        isBehind: () => false,
      }),
    removeStored: (entry, options) =>
      again('removeStored', `removal of ${entry.what}`, options, () => blobs.removeStored(entry, options)),
    close: () => blobs.close(),
  }
}

function retryingCatalogue(catalogue: Catalogue, again: Again): Catalogue {
  const list = <Item>(
    call: StoreCall,
    what: string,
    options: CallOptions | undefined,
    open: () => AsyncIterable<Item>,
  ): AsyncIterable<Item> => resumed<Item, never>(call, what, again, options, { open })
  return {
    info: (options) => again('info', 'reading what the store is', options, () => catalogue.info(options)),
    setReceivable: (receivable, options) =>
      again('setReceivable', 'saying what the hosts can receive', options, () =>
        catalogue.setReceivable(receivable, options),
      ),
    read: (project, options) =>
      again('read', `reading project ${project}`, options, () => catalogue.read(project, options)),
    apply: (transaction, options) =>
      again('apply', transaction.what, options, () => catalogue.apply(transaction, options)),
    projects: (options) => list('projects', 'listing projects', options, () => catalogue.projects(options)),
    readHost: (host, options) =>
      again('readHost', `reading host ${host}`, options, () => catalogue.readHost(host, options)),
    applyHost: (transaction, options) =>
      again('applyHost', transaction.what, options, () => catalogue.applyHost(transaction, options)),
    hosts: (options) => list('hosts', 'listing hosts', options, () => catalogue.hosts(options)),
    noteWriting: (host, entry, options) =>
      again('noteWriting', `noting write ${entry.row.writeId}`, options, () =>
        catalogue.noteWriting(host, entry, options),
      ),
    forgetWriting: (host, writeId, options) =>
      again('forgetWriting', `forgetting the note of write ${writeId}`, options, () =>
        catalogue.forgetWriting(host, writeId, options),
      ),
    writing: (host, options) =>
      list('writing', `listing writes of host ${host}`, options, () => catalogue.writing(host, options)),
    log: (entry, options) => again('log', 'writing the log', options, () => catalogue.log(entry, options)),
    logged: (day, options) =>
      list('logged', 'reading the log', options, () => catalogue.logged(day, options)),
    readNote: (name, options) =>
      again('readNote', `reading note ${name}`, options, () => catalogue.readNote(name, options)),
    writeNote: (name, text, options) =>
      again('writeNote', `writing note ${name}`, options, () => catalogue.writeNote(name, text, options)),
    nowMs: (options) =>
      again('nowMs', "asking for the store's time", options, () => catalogue.nowMs(options)),
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
  call: StoreCall,
  what: string,
  again: Again,
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
      const item = mayRetry ? await again(call, what, options, next) : await next()
      if (item.done) return
      if (mark) last = { mark: mark(item.value) }
      yielded = true
      yield item.value
    }
  } finally {
    await items?.return?.()
  }
}
