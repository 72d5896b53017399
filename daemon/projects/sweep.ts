/**
 * Looks at the pool again and again, and lets go what it should: as many as space, number or idleness ask for, least recently
 * used first, each with proof. What it did and why everything else stayed is kept, for whoever asks.
 */
import { entriesInUse } from '../../native/mount/holders.ts'
import { poolOf } from '../../native/zfs/names.ts'
import { poolState } from '../../native/zfs/pool.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { ProjectHost } from './host.ts'
import { type MountedFacts, planUnmounts, type WhyMounted } from './idle.ts'
import type { LastAccess } from './last-access.ts'
import { survey } from './reconcile.ts'
import {
  type PoolSpace,
  planResidency,
  type ResidencySettings,
  type ResidentFacts,
  type WhyEvicted,
  type WhyStays,
} from './residency.ts'

export interface SweeperOptions {
  readonly host: ProjectHost
  readonly access: LastAccess
  readonly settings: ResidencySettings
  readonly isPinned: (id: ProjectId) => boolean
  readonly evict: (id: ProjectId, signal: AbortSignal, why: WhyEvicted) => Promise<unknown>
  /** False where it stays mounted because somebody wants it. */
  readonly unmount: (id: ProjectId, idleAfterMs: number, signal: AbortSignal) => Promise<boolean>
  readonly onSweep?: OnSweep | undefined
  /** @default 30 s */
  readonly intervalMs?: number
}

export interface Sweep {
  readonly atMs: number
  readonly evicted: readonly { readonly id: ProjectId; readonly why: WhyEvicted }[]
  /** What nobody used for long; it is in the pool still. */
  readonly unmounted: readonly ProjectId[]
  /**
   * What should have left or been unmounted and was not: busy, without a proof, or not tried any more since the store did not answer
   * for one before it. The next sweep tries again.
   */
  readonly refused: readonly Refused[]
  readonly stay: ReadonlyMap<ProjectId, WhyStays>
  readonly mounted: ReadonlyMap<ProjectId, WhyMounted>
  readonly shortOfBytes: bigint
  readonly tooMany: number
}

/** Hears of each look that has ended: what it did, or why it did not come to its end. */
export interface OnSweep {
  swept(sweep: Sweep): void
  failed(error: unknown): void
}

export interface Refused {
  readonly id: ProjectId
  readonly why: WhyEvicted | 'unmount'
  readonly error: unknown
}

const INTERVAL_MS = 30_000
/** How exactly is known since when nobody is in a project any more. */
const SEEN_FOR_MS = 300_000
const NOBODY: ReadonlySet<string> = new Set()
/** More in one look, and it is the pool that fails: the next look tries again. */
const MAX_FAILED = 3

export class Sweeper {
  readonly #options: SweeperOptions
  #settings: ResidencySettings
  #last: Sweep | undefined
  #seen: { readonly used: ReadonlySet<string>; readonly atMs: number } | undefined
  #error: unknown

  constructor(options: SweeperOptions) {
    this.#options = options
    this.#settings = options.settings
  }

  /** From the next look on. */
  reconfigure(settings: ResidencySettings): void {
    this.#settings = settings
  }

  get last(): Sweep | undefined {
    return this.#last
  }

  /** Why the last look did not come to its end. */
  get error(): unknown {
    return this.#error
  }

  /** Until the signal fires; resolves when nothing is under way any more. Is called once. */
  async run(signal: AbortSignal): Promise<void> {
    const { host, intervalMs = INTERVAL_MS } = this.#options
    while (!signal.aborted) {
      await host.clock.sleep(intervalMs, signal).catch(() => {})
      if (signal.aborted) return
      try {
        this.#last = await this.sweep(signal)
        this.#error = undefined
        this.#options.onSweep?.swept(this.#last)
      } catch (error) {
        if (signal.aborted) return
        this.#error = error
        this.#options.onSweep?.failed(error)
      }
    }
  }

  async sweep(signal: AbortSignal): Promise<Sweep> {
    const { host, access, isPinned, evict } = this.#options
    const [{ residents }, pool] = await Promise.all([
      survey(host, { signal }),
      poolState(host.zfs, poolOf(host.parent), { signal }),
    ])
    const space = { usedBytes: pool.usedBytes, totalBytes: pool.usedBytes + pool.availableBytes }
    const factsBy = (used: ReadonlySet<string>) =>
      residents.map(({ id, usedBytes, mounted }) => {
        const inUse = used.has(id) || host.locks.state(id) !== undefined
        return { id, inUse, pinned: isPinned(id), idleMs: access.idleMs(id), usedBytes, mounted }
      })
    const wouldGo = this.#wouldGo(factsBy(NOBODY), space)
    const facts = factsBy(
      await this.#used(
        residents.map(({ id }) => id),
        wouldGo,
      ),
    )
    const plan = planResidency(facts, space, this.#settings)
    const evicted: { id: ProjectId; why: WhyEvicted }[] = []
    const refused: Refused[] = []
    let away: { readonly error: unknown } | undefined
    for (const { id, why } of plan.evict)
      try {
        // Each of the others would cost a time limit, and fail alike.
        if (away) throw away.error
        host.mayAct()
        await evict(id, signal, why)
        evicted.push({ id, why })
      } catch (error) {
        signal.throwIfAborted()
        if (isOfTheStore(error)) away = { error }
        refused.push({ id, why, error })
      }
    const mounted = facts.filter((one) => one.mounted && plan.stay.has(one.id))
    // An unmount saves first.
    const idle = await this.#unmountIdle(away ? [] : mounted, refused, signal)
    const { stay, shortOfBytes, tooMany } = plan
    return { atMs: host.clock.wallMs(), evicted, ...idle, refused, stay, shortOfBytes, tooMany }
  }

  /** Whether anything would be let go if nobody were in it. */
  #wouldGo(
    facts: readonly (ResidentFacts & MountedFacts & { readonly mounted: boolean })[],
    space: PoolSpace,
  ): boolean {
    const { unmountIdleAfterMs = Number.POSITIVE_INFINITY } = this.#settings
    const mounted = facts.filter((one) => one.mounted)
    return (
      planResidency(facts, space, this.#settings).evict.length > 0 ||
      planUnmounts(mounted, unmountIdleAfterMs).unmount.length > 0
    )
  }

  /**
   * In which of them some process is. Where nothing would go the last answer does for a while: it is the whole of /proc that is read,
   * 70 ms of a core on a machine with 200 processes.
   */
  async #used(ids: readonly ProjectId[], isToBeKnown: boolean): Promise<ReadonlySet<string>> {
    const { host, access } = this.#options
    const nowMs = host.clock.monotonicMs()
    if (!isToBeKnown && this.#seen && nowMs - this.#seen.atMs < SEEN_FOR_MS) return this.#seen.used
    const used = await entriesInUse(host.mountRoot)
    this.#seen = { used, atMs: nowMs }
    // Whoever has a directory or a file open in it comes by no look-up that anybody would see.
    for (const id of ids) if (used.has(id)) access.used(id)
    return used
  }

  async #unmountIdle(
    facts: readonly MountedFacts[],
    refused: Refused[],
    signal: AbortSignal,
  ): Promise<Pick<Sweep, 'unmounted' | 'mounted'>> {
    const { host, unmount } = this.#options
    const idleAfterMs = this.#settings.unmountIdleAfterMs ?? Number.POSITIVE_INFINITY
    const plan = planUnmounts(facts, idleAfterMs)
    const mounted = new Map(plan.stay)
    const unmounted: ProjectId[] = []
    let failed = 0
    for (const id of plan.unmount) {
      if (failed === MAX_FAILED) break
      try {
        host.mayAct()
        if (await unmount(id, idleAfterMs, signal)) unmounted.push(id)
        else mounted.set(id, 'used-lately')
      } catch (error) {
        signal.throwIfAborted()
        if (codeOf(error) === 'dataset-busy') mounted.set(id, 'in-use')
        else failed++
        refused.push({ id, why: 'unmount', error })
        if (isOfTheStore(error)) break
      }
    }
    return { unmounted, mounted }
  }
}

/** It says nothing about the project: the next one fails alike. */
function isOfTheStore(error: unknown): boolean {
  const code = codeOf(error) ?? ''
  return (
    code.startsWith('store-') || code === 'outcome-unknown' || code === 'host-lost' || code === 'host-left'
  )
}
