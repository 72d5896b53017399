/**
 * The in-memory twin of the real stores: the same promises, nothing durable. For tests of everything above a store,
 * and what the model test walks.
 */
import { TidepoolError } from '../base/errors.ts'
import type { HostId, ProjectId, WriteId } from '../base/ids.ts'
import { MIB } from '../base/units.ts'
import type { Project } from '../graph/state.ts'
import { applyTransaction } from '../graph/transaction.ts'
import { applyHostTransaction, type HostRow } from '../hosts/state.ts'
import { chunkLength } from '../transfer/manifest.ts'
import type { BlobStore, Catalogue, Chunk, LogEntry, Store, StoredEntry, WritingEntry } from './contract.ts'

export interface MemoryOptions {
  /** The store's clock. */
  readonly nowMs?: () => number
}

/** The contents, open to tests that look or break things behind the store's back. */
export interface MemoryState {
  readonly projects: Map<ProjectId, Project>
  readonly hosts: Map<HostId, HostRow>
  readonly writing: Map<HostId, Map<WriteId, WritingEntry>>
  readonly log: LogEntry[]
  readonly notes: Map<string, string>
  readonly blobs: Map<WriteId, { readonly project: ProjectId; readonly chunks: Map<number, Chunk> }>
}

export function memoryStore(options: MemoryOptions = {}): Store & { readonly state: MemoryState } {
  const state: MemoryState = {
    projects: new Map(),
    hosts: new Map(),
    writing: new Map(),
    log: [],
    notes: new Map(),
    blobs: new Map(),
  }
  return {
    kind: 'memory',
    url: 'memory:',
    state,
    blobs: memoryBlobs(state),
    catalogue: memoryCatalogue(state, options.nowMs ?? Date.now),
    async close() {},
  }
}

function missing(what: string): TidepoolError {
  return new TidepoolError('chunk-missing', `${what} is not in the store, or not with its length`)
}

export function memoryBlobs(state: Pick<MemoryState, 'blobs'>): BlobStore {
  const { blobs } = state
  return {
    defaultChunkBytes: MIB,

    async create({ project, writeId }, { signal } = {}) {
      signal?.throwIfAborted()
      const chunks = new Map<number, Chunk>()
      blobs.set(writeId, { project, chunks })
      return {
        async put(seq, data, digest, { signal } = {}) {
          signal?.throwIfAborted()
          chunks.set(seq, { data: Buffer.from(data), digest: Buffer.from(digest) })
        },
        async seal({ signal } = {}) {
          signal?.throwIfAborted()
        },
        async close() {},
      }
    },

    async open(write, { signal } = {}) {
      signal?.throwIfAborted()
      const blob = blobs.get(write.writeId)
      if (!blob) throw missing(`write ${write.writeId}`)
      return {
        async get(seq, { signal } = {}) {
          signal?.throwIfAborted()
          const chunk = blob.chunks.get(seq)
          if (chunk?.data.length !== chunkLength(write, seq))
            throw missing(`chunk ${seq} of write ${write.writeId}`)
          return { data: Buffer.from(chunk.data), digest: Buffer.from(chunk.digest) }
        },
        async close() {},
      }
    },

    async remove({ writeId, seqHigh }, { signal } = {}) {
      signal?.throwIfAborted()
      const blob = blobs.get(writeId)
      for (let seq = 0; seq < seqHigh; seq++) blob?.chunks.delete(seq)
      if (blob?.chunks.size === 0) blobs.delete(writeId)
    },

    async *missing(write, { signal } = {}) {
      signal?.throwIfAborted()
      const chunks = blobs.get(write.writeId)?.chunks
      for (let seq = 0; seq < write.chunkCount; seq++)
        if (chunks?.get(seq)?.data.length !== chunkLength(write, seq)) yield seq
    },

    async mend(write, seq, chunk, { signal } = {}) {
      signal?.throwIfAborted()
      const blob = blobs.get(write.writeId) ?? { project: write.project, chunks: new Map<number, Chunk>() }
      blob.chunks.set(seq, { data: Buffer.from(chunk.data), digest: Buffer.from(chunk.digest) })
      blobs.set(write.writeId, blob)
    },

    async *stored({ signal, after } = {}) {
      for (const writeId of [...blobs.keys()].sort()) {
        signal?.throwIfAborted()
        const blob = blobs.get(writeId)
        if (blob && (after === undefined || writeId > after))
          yield {
            project: blob.project,
            writeId,
            what: `write ${writeId}`,
            cursor: writeId,
          } satisfies StoredEntry
      }
    },

    async removeStored({ writeId }, { signal } = {}) {
      signal?.throwIfAborted()
      if (writeId) blobs.delete(writeId)
    },

    async close() {},
  }
}

export function memoryCatalogue(state: Omit<MemoryState, 'blobs'>, nowMs: () => number): Catalogue {
  const { projects, hosts, writing, log, notes } = state
  const createdAtMs = nowMs()
  let receivable: readonly string[] | null = null
  return {
    async info({ signal } = {}) {
      signal?.throwIfAborted()
      return { format: 1, createdAtMs, receivable }
    },

    async setReceivable(said, { signal } = {}) {
      signal?.throwIfAborted()
      receivable = said
    },

    async read(project, { signal } = {}) {
      signal?.throwIfAborted()
      return projects.get(project)
    },

    async apply(transaction, { signal } = {}) {
      signal?.throwIfAborted()
      const after = applyTransaction(projects.get(transaction.project), transaction)
      if (after) projects.set(after.id, after)
      return after !== null
    },

    async *projects({ signal } = {}) {
      for (const { id, statics } of [...projects.values()]) {
        signal?.throwIfAborted()
        yield { id, life: statics.life, owner: statics.owner, head: statics.head }
      }
    },

    async readHost(host, { signal } = {}) {
      signal?.throwIfAborted()
      return hosts.get(host)
    },

    async applyHost(transaction, { signal } = {}) {
      signal?.throwIfAborted()
      const after = applyHostTransaction(hosts.get(transaction.host), transaction)
      if (after) hosts.set(transaction.host, after)
      return after !== null
    },

    async *hosts({ signal } = {}) {
      for (const row of [...hosts.values()]) {
        signal?.throwIfAborted()
        yield row
      }
    },

    async noteWriting(host, entry, { signal } = {}) {
      signal?.throwIfAborted()
      const entries = writing.get(host) ?? new Map<WriteId, WritingEntry>()
      writing.set(host, entries.set(entry.row.writeId, entry))
    },

    async forgetWriting(host, writeId, { signal } = {}) {
      signal?.throwIfAborted()
      writing.get(host)?.delete(writeId)
    },

    async *writing(host, { signal } = {}) {
      for (const entry of [...(writing.get(host)?.values() ?? [])]) {
        signal?.throwIfAborted()
        yield entry
      }
    },

    async log(entry, { signal } = {}) {
      signal?.throwIfAborted()
      log.push(entry)
    },

    async *logged(day, { signal } = {}) {
      for (const entry of log.toSorted((a, b) => a.atMs - b.atMs)) {
        signal?.throwIfAborted()
        if (new Date(entry.atMs).toISOString().startsWith(day)) yield entry
      }
    },

    async readNote(name, { signal } = {}) {
      signal?.throwIfAborted()
      return notes.get(name)
    },

    async writeNote(name, text, { signal } = {}) {
      signal?.throwIfAborted()
      if (text === undefined) notes.delete(name)
      else notes.set(name, text)
    },

    async nowMs({ signal } = {}) {
      signal?.throwIfAborted()
      return nowMs()
    },

    async close() {},
  }
}
