/**
 * Looks at the pool again and again, and lets go what it should: as many as space, number or idleness ask for, least recently
 * used first, each with proof. What it did and why everything else stayed is kept, for whoever asks.
 */
import { entriesInUse } from '../../native/mount/holders.ts'
import { poolOf } from '../../native/zfs/names.ts'
import { poolState } from '../../native/zfs/pool.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { ProjectHost } from './host.ts'
import type { LastAccess } from './last-access.ts'
import { survey } from './reconcile.ts'
import { planResidency, type ResidencySettings, type WhyEvicted, type WhyStays } from './residency.ts'

export interface SweeperOptions {
  readonly host: ProjectHost
  readonly access: LastAccess
  readonly settings: ResidencySettings
  readonly evict: (id: ProjectId, signal: AbortSignal, why: WhyEvicted) => Promise<unknown>
  /** @default 30 s */
  readonly intervalMs?: number
}

export interface Sweep {
  readonly atMs: number
  readonly evicted: readonly { readonly id: ProjectId; readonly why: WhyEvicted }[]
  /** What should have left and did not: busy, or without a proof. The next sweep tries again. */
  readonly refused: readonly { readonly id: ProjectId; readonly why: WhyEvicted; readonly error: unknown }[]
  readonly stay: ReadonlyMap<ProjectId, WhyStays>
  readonly shortOfBytes: bigint
  readonly tooMany: number
}

const INTERVAL_MS = 30_000

export class Sweeper {
  readonly #options: SweeperOptions
  #last: Sweep | undefined
  #error: unknown

  constructor(options: SweeperOptions) {
    this.#options = options
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
      } catch (error) {
        if (!signal.aborted) this.#error = error
      }
    }
  }

  async sweep(signal: AbortSignal): Promise<Sweep> {
    const { host, access, settings, evict } = this.#options
    const [{ residents }, used, pool] = await Promise.all([
      survey(host, { signal }),
      entriesInUse(host.mountRoot),
      poolState(host.zfs, poolOf(host.parent), { signal }),
    ])
    const facts = residents.map(({ id, usedBytes }) => {
      const inUse = used.has(id) || host.locks.state(id) !== undefined
      // Whoever has a directory or a file open in it comes by no look-up that anybody would see.
      if (used.has(id)) access.used(id)
      return { id, inUse, pinned: false, idleMs: access.idleMs(id), usedBytes }
    })
    const space = { usedBytes: pool.usedBytes, totalBytes: pool.usedBytes + pool.availableBytes }
    const plan = planResidency(facts, space, settings)
    const evicted: { id: ProjectId; why: WhyEvicted }[] = []
    const refused: { id: ProjectId; why: WhyEvicted; error: unknown }[] = []
    for (const { id, why } of plan.evict)
      try {
        host.mayAct()
        await evict(id, signal, why)
        evicted.push({ id, why })
      } catch (error) {
        signal.throwIfAborted()
        refused.push({ id, why, error })
      }
    const { stay, shortOfBytes, tooMany } = plan
    return { atMs: host.clock.wallMs(), evicted, refused, stay, shortOfBytes, tooMany }
  }
}
