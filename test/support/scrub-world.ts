/** A store in memory with a clock that moves by hand, writes in every state, and what a scrub of it says. */
import {
  type Guid,
  guid,
  newHostId,
  newSessionId,
  newWriteId,
  type ProjectId,
  projectId,
} from '../../pipeline/base/ids.ts'
import type { Project, WriteRow, WriteState } from '../../pipeline/graph/state.ts'
import type { Transaction } from '../../pipeline/graph/transaction.ts'
import { createProject } from '../../pipeline/graph/transitions/life.ts'
import { markDeleted, markDeleting, supersedeWrites } from '../../pipeline/graph/transitions/removal.ts'
import { abortWrite, beginWrite, commitWrite } from '../../pipeline/graph/transitions/writes.ts'
import { type HostIdentity, registerHost, renewHost } from '../../pipeline/hosts/session.ts'
import type { ProcessIdentity } from '../../pipeline/hosts/state.ts'
import type { Finding, ScrubSummary } from '../../pipeline/scrub/findings.ts'
import { scrub } from '../../pipeline/scrub/scrub.ts'
import type { ScrubOptions } from '../../pipeline/scrub/settings.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { digestOf, RootDigest } from '../../pipeline/transfer/digest.ts'
import type { Manifest } from '../../pipeline/transfer/manifest.ts'
import { ManualClock } from './manual-clock.ts'

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
export const CHUNK_BYTES = 64

export interface WriteOptions {
  readonly from?: number | null
  readonly to: number
  readonly chunks?: number
  readonly host?: HostIdentity
  readonly side?: boolean
}

export class World {
  readonly clock = new ManualClock()
  readonly store = memoryStore({ nowMs: () => this.clock.wallMs() })
  readonly host: HostIdentity = anIdentity('home')
  #seed = 0

  get state() {
    return this.store.state
  }

  static async make(): Promise<World> {
    const world = new World()
    await registerHost(world.store.catalogue, world.host)
    return world
  }

  async newHost(name: string, process: ProcessIdentity | null = null): Promise<HostIdentity> {
    const identity = anIdentity(name, process)
    await registerHost(this.store.catalogue, identity)
    return identity
  }

  async project(name: string): Promise<ProjectId> {
    const id = projectId(name)
    await this.apply(createProject(id, { owner: this.host.host, nowMs: this.clock.wallMs() }))
    return id
  }

  async apply(transaction: Transaction): Promise<void> {
    if (!(await this.store.catalogue.apply(transaction))) throw new Error(`${transaction.what} was refused`)
  }

  read(id: ProjectId): Project {
    const project = this.state.projects.get(id)
    if (!project) throw new Error(`no project ${id}`)
    return project
  }

  row(id: ProjectId, row: Pick<WriteRow, 'writeId'>): WriteRow | undefined {
    return this.read(id).rows.get(row.writeId)
  }

  stateOf(id: ProjectId, row: Pick<WriteRow, 'writeId'>): WriteState | undefined {
    return this.row(id, row)?.state
  }

  chunksOf(row: Pick<WriteRow, 'writeId'>): number {
    return this.state.blobs.get(row.writeId)?.chunks.size ?? 0
  }

  aRow(options: WriteOptions): WriteRow {
    const { host, session } = options.host ?? this.host
    const nowMs = this.clock.wallMs()
    return {
      writeId: newWriteId(),
      from: options.from ? point(options.from) : null,
      to: point(options.to),
      host,
      session,
      side: options.side ?? false,
      state: 'writing',
      chunkBytes: CHUNK_BYTES,
      seqHigh: options.chunks ?? 3,
      begunAtMs: nowMs,
      changedAtMs: nowMs,
      committedAtMs: null,
      manifest: null,
    }
  }

  /** A write in progress, its entry, row and chunks there. */
  async begin(id: ProjectId, options: WriteOptions): Promise<WriteRow> {
    const row = this.aRow(options)
    await this.store.catalogue.noteWriting(row.host, { project: id, row })
    await this.apply(beginWrite(this.read(id), row))
    await this.putChunks(id, row)
    return row
  }

  async putChunks(id: ProjectId, row: WriteRow): Promise<Manifest> {
    const writer = await this.store.blobs.create({
      project: id,
      writeId: row.writeId,
      chunkBytes: CHUNK_BYTES,
    })
    const root = new RootDigest()
    const bytes = row.seqHigh * CHUNK_BYTES - 7
    for (let seq = 0; seq < row.seqHigh; seq++) {
      const length = Math.min(CHUNK_BYTES, bytes - seq * CHUNK_BYTES)
      const data = Buffer.alloc(length, this.#seed++)
      const digest = digestOf(data)
      root.add(digest)
      await writer.put(seq, data, digest)
    }
    await writer.seal()
    await writer.close()
    return {
      version: 1,
      codec: 'none',
      bytes: BigInt(bytes),
      chunkBytes: CHUNK_BYTES,
      chunkCount: row.seqHigh,
      rootDigest: root.end(),
      stream: {
        toName: 'pool/x@y',
        createdAtMs: this.clock.wallMs(),
        byteOrder: 'little',
        features: [],
        logicalBytes: BigInt(bytes),
        records: {},
      },
    }
  }

  async commit(id: ProjectId, options: WriteOptions): Promise<WriteRow> {
    const row = this.aRow(options)
    await this.apply(beginWrite(this.read(id), row))
    const manifest = await this.putChunks(id, row)
    await this.apply(
      commitWrite(this.read(id), { writeId: row.writeId, manifest, nowMs: this.clock.wallMs() }),
    )
    return this.row(id, row) as WriteRow
  }

  async abort(id: ProjectId, row: WriteRow): Promise<void> {
    await this.apply(abortWrite(id, row, this.clock.wallMs()))
  }

  async supersede(id: ProjectId, row: WriteRow): Promise<void> {
    await this.apply(supersedeWrites(this.read(id), [this.row(id, row) as WriteRow], this.clock.wallMs()))
  }

  async markDeleting(id: ProjectId, row: WriteRow): Promise<void> {
    await this.apply(markDeleting(this.read(id), [this.row(id, row) as WriteRow], this.clock.wallMs()))
  }

  async markDeleted(id: ProjectId, row: WriteRow): Promise<void> {
    await this.apply(markDeleted(id, this.row(id, row) as WriteRow, this.clock.wallMs()))
  }

  /** Renews a host every ten seconds until the signal fires. */
  async keepAlive(identity: HostIdentity, signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const row = await this.store.catalogue.readHost(identity.host)
        if (row) await renewHost(this.store.catalogue, identity, row)
        await this.clock.sleep(10_000, signal)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** A whole scrub on this clock. Nobody is gone but who stands in the row as pid 1. */
  async scrub(options: Partial<ScrubOptions> = {}, store: Store = this.store): Promise<Scrubbed> {
    const findings: Finding[] = []
    const run = scrub(store, {
      depth: 'stale',
      clock: this.clock,
      maxDeleteShare: 1,
      isGone: ({ pid }) => pid === 1,
      ...options,
    })
    const all = async (): Promise<ScrubSummary> => {
      for (;;) {
        const step = await run.next()
        if (step.done) return step.value
        findings.push(step.value)
      }
    }
    const summary = await this.clock.run(all())
    return { findings, summary, kinds: findings.map(({ kind, action }) => `${kind} ${action}`) }
  }
}

export interface Scrubbed {
  readonly findings: readonly Finding[]
  readonly summary: ScrubSummary
  /** `stale-write done`: what most tests look at. */
  readonly kinds: readonly string[]
}

export function point(number: number): Guid {
  return guid(BigInt(number))
}

export function anIdentity(name: string, process: ProcessIdentity | null = null): HostIdentity {
  return { host: newHostId(), session: newSessionId(), name, process }
}
