/**
 * Which projects leave the pool, and why each of the others stays: least recently used first, as many as space, number or
 * idleness ask for. Pure; whether one really can leave, its eviction proves.
 */
import type { ProjectId } from '../../pipeline/base/ids.ts'

export interface ResidencySettings {
  /** Undefined: as many as fit. */
  readonly maxResident?: number
  /** Of the pool's space that is used. Past `high` projects leave until it is at `low`. */
  readonly highWatermark: number
  readonly lowWatermark: number
  /** Unused for so long they leave even where there is space. Undefined: they stay. */
  readonly evictIdleAfterMs?: number
  /** Unused for so long they are unmounted, and stay in the pool. Undefined: they stay mounted. */
  readonly unmountIdleAfterMs?: number
  /** Used within so long they never leave by themselves: people come back from lunch. */
  readonly idleGraceMs: number
}

export const DEFAULT_RESIDENCY: ResidencySettings = {
  highWatermark: 0.8,
  lowWatermark: 0.7,
  idleGraceMs: 10 * 60_000,
}

export interface ResidentFacts {
  readonly id: ProjectId
  /** Somebody is in it now. */
  readonly inUse: boolean
  readonly pinned: boolean
  /** For how long nobody was seen in it. */
  readonly idleMs: number
  /** What the pool gets back. */
  readonly usedBytes: bigint
}

export interface PoolSpace {
  readonly usedBytes: bigint
  readonly totalBytes: bigint
}

export type WhyEvicted = 'space' | 'number' | 'idle'
export type WhyStays = 'in-use' | 'pinned' | 'used-lately' | 'not-needed'

/** For people: "it stays here: …". */
export const STAYS_IN_WORDS: Readonly<Record<WhyStays, string>> = {
  'in-use': 'somebody is in it',
  pinned: 'it is pinned',
  'used-lately': 'it was used lately',
  'not-needed': 'nothing needs its room',
}

export interface ResidencyPlan {
  /** In the order in which they are to leave. */
  readonly evict: readonly { readonly id: ProjectId; readonly why: WhyEvicted }[]
  readonly stay: ReadonlyMap<ProjectId, WhyStays>
  /** What is still too much when all that may leave has left; a reason to tell people, and to open nothing large. */
  readonly shortOfBytes: bigint
  readonly tooMany: number
}

/** `residents` in any order; of equally idle ones the larger leaves first. */
export function planResidency(
  residents: readonly ResidentFacts[],
  space: PoolSpace,
  settings: ResidencySettings,
): ResidencyPlan {
  const limit = share(space.totalBytes, settings.highWatermark)
  const goal = share(space.totalBytes, settings.lowWatermark)
  let overBytes = space.usedBytes > limit ? space.usedBytes - goal : 0n
  let tooMany = Math.max(0, residents.length - (settings.maxResident ?? residents.length))
  const evict: { id: ProjectId; why: WhyEvicted }[] = []
  const stay = new Map<ProjectId, WhyStays>()
  for (const resident of leastRecentlyUsed(residents)) {
    const { id, idleMs, usedBytes } = resident
    const held = whyHeld(resident, settings)
    const why =
      overBytes > 0n
        ? 'space'
        : tooMany > 0
          ? 'number'
          : idleMs >= (settings.evictIdleAfterMs ?? Number.POSITIVE_INFINITY)
            ? 'idle'
            : undefined
    if (held !== undefined || why === undefined) {
      stay.set(id, held ?? 'not-needed')
      continue
    }
    evict.push({ id, why })
    overBytes = overBytes > usedBytes ? overBytes - usedBytes : 0n
    tooMany = Math.max(0, tooMany - 1)
  }
  return { evict, stay, shortOfBytes: overBytes, tooMany }
}

function whyHeld(resident: ResidentFacts, settings: ResidencySettings): WhyStays | undefined {
  if (resident.inUse) return 'in-use'
  if (resident.pinned) return 'pinned'
  return resident.idleMs < settings.idleGraceMs ? 'used-lately' : undefined
}

/** A thousandth is exact enough, and stays whole for any pool. */
const share = (bytes: bigint, part: number): bigint => (bytes * BigInt(Math.round(part * 1000))) / 1000n

const leastRecentlyUsed = (residents: readonly ResidentFacts[]): ResidentFacts[] =>
  [...residents].sort(
    (a, b) =>
      b.idleMs - a.idleMs ||
      (a.usedBytes < b.usedBytes ? 1 : a.usedBytes > b.usedBytes ? -1 : a.id < b.id ? -1 : 1),
  )
