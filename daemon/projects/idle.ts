/** Which mounted projects are unmounted because nobody uses them, and why each of the others stays mounted. Pure. */
import type { ProjectId } from '../../pipeline/base/ids.ts'

export interface MountedFacts {
  readonly id: ProjectId
  readonly inUse: boolean
  readonly idleMs: number
}

export type WhyMounted = 'in-use' | 'used-lately'

export interface IdlePlan {
  /** Longest unused first. */
  readonly unmount: readonly ProjectId[]
  readonly stay: ReadonlyMap<ProjectId, WhyMounted>
}

export function planUnmounts(mounted: readonly MountedFacts[], idleAfterMs: number): IdlePlan {
  const stay = new Map<ProjectId, WhyMounted>()
  const going = mounted.filter(({ id, inUse, idleMs }) => {
    const why = inUse ? 'in-use' : idleMs < idleAfterMs ? 'used-lately' : undefined
    if (why) stay.set(id, why)
    return why === undefined
  })
  return { unmount: going.sort((a, b) => b.idleMs - a.idleMs).map(({ id }) => id), stay }
}
