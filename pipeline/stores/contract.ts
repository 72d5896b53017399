/**
 * What a store is. Every sentence here is a promise that the contract suites in `test/contracts` hold each driver to:
 * memory, directory, Cassandra, and each of them wrapped.
 */
import type { Guid, HostId, ProjectId, WriteId } from '../base/ids.ts'
import type { Life, Project, WriteRow } from '../graph/state.ts'
import type { Transaction } from '../graph/transaction.ts'
import type { HostRow, HostTransaction } from '../hosts/state.ts'

/** An aborted call rejects with the signal's reason, soon; what it had begun may still happen. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** Which write, and how its bytes are cut. */
export interface WriteRef {
  readonly project: ProjectId
  readonly writeId: WriteId
  readonly chunkBytes: number
}

/** A write whose length is known. */
export interface WriteExtent extends WriteRef {
  readonly bytes: bigint
  readonly chunkCount: number
}

export interface Chunk {
  readonly data: Buffer
  /** What was stored as its SHA-256 when it was put; whoever reads compares it with the data. */
  readonly digest: Buffer
}

/** The chunks. Knows nothing of projects' states: what may be written or removed was decided in the catalogue. */
export interface BlobStore {
  readonly defaultChunkBytes: number

  /** Begins to write. The caller has made the intent durable before. Nothing else writes the same `writeId`. */
  create(write: WriteRef, options?: CallOptions): Promise<BlobWriter>

  /**
   * Begins to read a write. Where the store can, what was opened stays readable although it is removed meanwhile.
   * Rejects with code `chunk-missing` where it is already plain that the write is not there.
   */
  open(write: WriteExtent, options?: CallOptions): Promise<BlobReader>

  /** Removes every chunk below `seqHigh` and all that belongs to the write. Removing what is not there is no error. */
  remove(write: WriteRef & { readonly seqHigh: number }, options?: CallOptions): Promise<void>

  /**
   * The chunks that are not there or do not have their length, in order. Reads no chunk's bytes, holds one page at
   * most. Throws where it could not look: silence means present.
   */
  missing(write: WriteExtent, options?: CallOptions): AsyncIterable<number>

  /** Replaces a damaged or missing chunk of a committed write. The caller has proved that these are its bytes. */
  mend(write: WriteExtent, seq: number, chunk: Chunk, options?: CallOptions): Promise<void>

  /**
   * All that is stored, by whatever keys it is stored under, in an order that stays: given an entry's `cursor` it
   * goes on behind it. One write may come in several entries. Reads no chunk's bytes. What is written meanwhile may
   * be in it or not.
   */
  stored(options?: CallOptions & { readonly after?: string }): AsyncIterable<StoredEntry>

  /** Removes what one entry names and nothing else. */
  removeStored(entry: StoredEntry, options?: CallOptions): Promise<void>

  close(): Promise<void>
}

export interface BlobWriter {
  /**
   * Stores one chunk; in any order, many at a time. Putting the same chunk again is no error. The caller leaves
   * `data` alone until the promise has settled; after that nobody here looks at it again.
   */
  put(seq: number, data: Buffer, digest: Buffer, options?: CallOptions): Promise<void>

  /** After this every chunk that was acknowledged survives a crash of this machine, or of the nodes that the store's consistency allows for. */
  seal(options?: CallOptions): Promise<void>

  /** Gives back what the writer holds in this process; removes nothing. May be called twice, and after a failure. */
  close(): Promise<void>
}

export interface GetOptions extends CallOptions {
  /** Asks more copies than the quick way does: for the second look at what was missing or did not match. */
  readonly careful?: boolean
  /**
   * A buffer of the write's chunk size that the store may put the bytes into, so that none has to be allocated. Whether
   * it did or not, it leaves it alone once the promise has settled.
   */
  readonly into?: Buffer
}

export interface BlobReader {
  /**
   * One chunk as it is stored; in any order, many at a time. Rejects with code `chunk-missing` where it is not
   * there, or is shorter or longer than it must be.
   */
  get(seq: number, options?: GetOptions): Promise<Chunk>

  /** May be called twice. */
  close(): Promise<void>
}

export interface StoredEntry {
  /** Null where the entry does not say, so that nobody can judge it. */
  readonly project: ProjectId | null
  readonly writeId: WriteId | null
  /** For people: a file's path, a partition's key. */
  readonly what: string
  readonly cursor: string
}

/** A project as a list shows it: a hint, for decisions read the project. */
export interface ProjectHint {
  readonly id: ProjectId
  readonly life: Life
  readonly owner: HostId | null
  readonly head: Guid | null
}

/** A write as its intent is about to insert it: enough to end it where the intent never came. */
export interface WritingEntry {
  readonly project: ProjectId
  readonly row: WriteRow
}

export interface LogEntry {
  readonly atMs: number
  readonly project: ProjectId
  readonly writeId: WriteId
  readonly what: string
}

export interface StoreInfo {
  /** The layout of tables and files; another number needs another program. */
  readonly format: number
  readonly createdAtMs: number
  /** Stream features that every host of this store can receive; null: not yet said, so nothing is refused. */
  readonly receivable: readonly string[] | null
}

/** Projects, writes in progress, hosts, the log. */
export interface Catalogue {
  /** As the store says it now: another process may have changed what its hosts can receive. */
  info(options?: CallOptions): Promise<StoreInfo>

  /** What `info` says from then on, of features that `featureList` allows. The last one written stands; to say it again is no error. */
  setReceivable(receivable: readonly string[] | null, options?: CallOptions): Promise<void>

  /** The project as all transactions up to now have left it, also those whose answer was lost: linearizable with `apply`. */
  read(project: ProjectId, options?: CallOptions): Promise<Project | undefined>

  /**
   * True: it happened, durably, whole. False: a condition did not hold when it was looked at. Rejects with
   * `OutcomeUnknownError` where nobody can tell; it may then still happen, or have happened. Any other rejection
   * means that nothing happened.
   */
  apply(transaction: Transaction, options?: CallOptions): Promise<boolean>

  /** All projects, page by page, in no order that means anything, but in the same one each time: whoever stopped goes on behind the last. */
  projects(options?: CallOptions): AsyncIterable<ProjectHint>

  /** Linearizable with `applyHost`. */
  readHost(host: HostId, options?: CallOptions): Promise<HostRow | undefined>
  /** As `apply`. */
  applyHost(transaction: HostTransaction, options?: CallOptions): Promise<boolean>
  /** Each as it is, or, far from where that is decided, as it was a moment ago; one that is that new may be missing. */
  hosts(options?: CallOptions): AsyncIterable<HostRow>

  /** Durable before the first chunk of a write, forgotten after the last word on it: what crash recovery reads. */
  noteWriting(host: HostId, entry: WritingEntry, options?: CallOptions): Promise<void>
  forgetWriting(host: HostId, writeId: WriteId, options?: CallOptions): Promise<void>
  writing(host: HostId, options?: CallOptions): AsyncIterable<WritingEntry>

  /** A hint for followers: an entry may be missing although its write committed, and comes more than once after a repeat. */
  log(entry: LogEntry, options?: CallOptions): Promise<void>
  /** The entries of one UTC day (`2026-11-22`), oldest first. */
  logged(day: string, options?: CallOptions): AsyncIterable<LogEntry>

  /** Small named notes of ours, such as where a scrub stopped; undefined where there is none. The last one written stands. */
  readNote(name: string, options?: CallOptions): Promise<string | undefined>
  writeNote(name: string, text: string | undefined, options?: CallOptions): Promise<void>

  /** The store's clock, the only one by which grace is counted. Rejects with `clocks-differ` where its nodes disagree by over a minute. */
  nowMs(options?: CallOptions): Promise<number>

  close(): Promise<void>
}

export interface Store {
  readonly kind: 'memory' | 'directory' | 'cassandra'
  /** As people write it, without secrets. */
  readonly url: string
  readonly blobs: BlobStore
  readonly catalogue: Catalogue
  /** Ends all of it; calls under way reject. May be called twice. */
  close(): Promise<void>
}
