/**
 * "Anything new?" for all projects of a pool by one listing, where ZFS counts what was written: asking each one alone takes four
 * commands, and a thousand that nobody touches would be asked every minute.
 */
import { listDatasets } from '../../native/zfs/list.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { roleOf } from './names.ts'

/** What a dataset showed when all of it was saved. A snapshot by hand hides what was written before it; these it changes. */
export interface Footprint {
  readonly referencedBytes: bigint
  readonly snapshotBytes: bigint
}

/** One listing answers whoever asks within so long. */
const FRESH_MS = 1000

type Listing = ReadonlyMap<ProjectId, Footprint & { readonly writtenBytes: bigint | undefined }>

export class Quiet {
  readonly #host: ProjectHost
  readonly #saved = new Map<ProjectId, Footprint>()
  #listing: { readonly atMs: number; readonly listed: Promise<Listing> } | undefined

  constructor(host: ProjectHost) {
    this.#host = host
  }

  /** It was looked at, and the store had all of it. */
  note(id: ProjectId, footprint: Footprint): void {
    this.#saved.set(id, footprint)
  }

  forget(id: ProjectId): void {
    this.#saved.delete(id)
  }

  /** True where nothing was written since `note`, up to the few seconds that ZFS's count is behind; false says nothing. */
  async isQuiet(id: ProjectId, options: ActOptions = {}): Promise<boolean> {
    const before = this.#saved.get(id)
    if (!before || !this.#host.zfs.capabilities.written) return false
    const now = (await this.#list(options)).get(id)
    return (
      now?.writtenBytes === 0n &&
      now.referencedBytes === before.referencedBytes &&
      now.snapshotBytes === before.snapshotBytes
    )
  }

  /** Shared by all who ask at about the same time; it is ended by none of them. */
  #list({ signal }: ActOptions): Promise<Listing> {
    // Before it begins: a listing that nobody awaits would reject unheard, and end the process.
    signal?.throwIfAborted()
    const nowMs = this.#host.clock.monotonicMs()
    if (!this.#listing || nowMs - this.#listing.atMs > FRESH_MS)
      this.#listing = { atMs: nowMs, listed: this.#read() }
    return this.#listing.listed
  }

  async #read(): Promise<Listing> {
    const found = new Map<ProjectId, Footprint & { readonly writtenBytes: bigint | undefined }>()
    for await (const { name, ...dataset } of listDatasets(this.#host.zfs, this.#host.parent)) {
      const named = roleOf(name)
      if (named?.role === 'live') found.set(named.id, dataset)
    }
    return found
  }
}
