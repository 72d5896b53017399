/** What the verbs on pools have in common: how a pool, its parent dataset and `sync` are typed. */
import { childOf, type DatasetName, datasetName, type PoolName, poolName } from '../../native/zfs/names.ts'
import type { PoolWishes } from '../../native/zfs/wanted.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'

export const DEFAULT_PARENT = 'projects'

/** `POOL`, or `POOL/PARENT` where the parent has another name. */
export function poolAndParent(text: string): { readonly pool: PoolName; readonly parent: DatasetName } {
  const slash = text.indexOf('/')
  if (slash < 0) {
    const pool = poolName(text)
    return { pool, parent: childOf(datasetName(pool), DEFAULT_PARENT) }
  }
  return { pool: poolName(text.slice(0, slash)), parent: datasetName(text) }
}

const SYNC: readonly string[] = ['standard', 'always', 'disabled'] satisfies PoolWishes['sync'][]

export function syncOf(text: string | undefined): PoolWishes['sync'] {
  if (text === undefined || SYNC.includes(text)) return text as PoolWishes['sync']
  throw new TidepoolError('bad-value', `${JSON.stringify(text)} is no value of sync`, {
    hint: `It is one of ${SYNC.join(', ')}.`,
  })
}
