/**
 * "Anything new?" for all projects of a pool by one listing, where ZFS counts what was written: asking each one alone takes four
 * commands, and a thousand that nobody touches would be asked every minute.
 */
import { listInBrief } from '../../native/zfs/list.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { roleOf } from './names.ts'

/** What a dataset showed when all of it was saved. A snapshot by hand hides what was written before it; these it changes. */
export interface Footprint {
  readonly referencedBytes: bigint
  readonly snapshotBytes: bigint
}

/** One listing answers whoever asks within so long: a thousand projects that are due one after another cost a few a minute. */
const FRESH_MS = 20_000
/** Of the time between two questions for the same project: else an old answer would make the next one due at once. */
const FRESH_SHARE = 1 / 3

type Listing = ReadonlyMap<ProjectId, Footprint & { readonly writtenBytes: bigint | undefined }>

/** With when its reading began. */
interface Dated {
  readonly atMs: number
  readonly listed: Promise<Listing>
}

export class Quiet {
  readonly #host: ProjectHost
  readonly #intervalMs: () => number
  readonly #saved = new Map<ProjectId, Footprint>()
  #listing: Dated | undefined

  /** `intervalMs`: from one question for a project to the next. */
  constructor(host: ProjectHost, intervalMs: () => number) {
    this.#host = host
    this.#intervalMs = intervalMs
  }

  /** It was looked at, and the store had all of it. */
  note(id: ProjectId, footprint: Footprint): void {
    this.#saved.set(id, footprint)
  }

  forget(id: ProjectId): void {
    this.#saved.delete(id)
  }

  /** The store may have moved on without this host: each is looked at anew. */
  forgetAll(): void {
    this.#saved.clear()
  }

  /**
   * Until when nothing was written since `note`, on the monotonic clock, up to the few seconds that ZFS's count is behind; undefined
   * says nothing. What was written after that moment is unsaved.
   */
  async quietUntilMs(id: ProjectId, options: ActOptions = {}): Promise<number | undefined> {
    const before = this.#saved.get(id)
    if (!before || !this.#host.zfs.capabilities.written) return undefined
    const { atMs, listed } = this.#list(options)
    const now = (await listed).get(id)
    const isQuiet =
      now?.writtenBytes === 0n &&
      now.referencedBytes === before.referencedBytes &&
      now.snapshotBytes === before.snapshotBytes
    return isQuiet ? atMs : undefined
  }

  /** Shared by all who ask at about the same time; it is ended by none of them. */
  #list({ signal }: ActOptions): Dated {
    // Before it begins: a listing that nobody awaits would reject unheard, and end the process.
    signal?.throwIfAborted()
    const nowMs = this.#host.clock.monotonicMs()
    const freshMs = Math.min(FRESH_MS, this.#intervalMs() * FRESH_SHARE)
    if (this.#listing && nowMs - this.#listing.atMs <= freshMs) return this.#listing
    const listing = { atMs: nowMs, listed: this.#read() }
    this.#listing = listing
    // A failure is told to those who share it, and to nobody later.
    listing.listed.catch(() => {
      if (this.#listing === listing) this.#listing = undefined
    })
    return listing
  }

  async #read(): Promise<Listing> {
    const found = new Map<ProjectId, Footprint & { readonly writtenBytes: bigint | undefined }>()
    for await (const { name, ...dataset } of listInBrief(this.#host.zfs, this.#host.parent)) {
      const named = roleOf(name)
      if (named?.role === 'live') found.set(named.id, dataset)
    }
    return found
  }
}
