/** What a project takes, here and in the store, as its saves have recorded it. Pure. */
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'

export interface Usage {
  /** At the head: what is in it, what the pool that saved it had to give for it with its snapshots, and what that would be uncompressed. */
  readonly referencedBytes: bigint | undefined
  readonly usedBytes: bigint | undefined
  /** Undefined also where the ZFS that saved it does not count that. */
  readonly logicalBytes: bigint | undefined
  /** Of all its streams that are still there, once; how often a store keeps them is its own business. */
  readonly storeBytes: bigint
}

const IN_STORE: readonly WriteRow['state'][] = ['committed', 'superseded', 'deleting']

export function usageOf({ statics: { head }, rows }: Project): Usage {
  const all = [...rows.values()]
  const atHead = all.find(
    ({ to, state, manifest }) => to === head && state === 'committed' && manifest?.usage,
  )
  const { referencedBytes, usedBytes, logicalBytes } = atHead?.manifest?.usage ?? {}
  const storeBytes = all
    .filter(({ state }) => IN_STORE.includes(state))
    .reduce((sum, { manifest }) => sum + (manifest?.bytes ?? 0n), 0n)
  return { referencedBytes, usedBytes, logicalBytes, storeBytes }
}
