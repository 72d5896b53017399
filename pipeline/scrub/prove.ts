/** Proof that what a pool is about to lose can be had back: each chunk of a path is there, and some are read. */
import { codeOf, TidepoolError } from '../base/errors.ts'
import type { ProjectId } from '../base/ids.ts'
import type { WriteRow } from '../graph/state.ts'
import type { BlobReader, CallOptions, Store, WriteExtent } from '../stores/contract.ts'
import { digestOf } from '../transfer/digest.ts'
import { checkPresent } from './present.ts'
import { checkedExtent } from './report.ts'

export interface ProveOptions extends CallOptions {
  /** Which chunk is read besides the first and the last. @default Math.random */
  readonly random?: () => number
}

/** Rejects with `not-proven` at the first write that is not whole, naming it; with the store's error where it could not look. */
export async function provePath(
  store: Pick<Store, 'blobs' | 'catalogue'>,
  project: ProjectId,
  path: readonly WriteRow[],
  options: ProveOptions = {},
): Promise<void> {
  for (const row of path) {
    const { outcome, missing } = await checkPresent(store, project, row, options)
    if (outcome === 'gone') throw notProven(project, row, 'is no longer committed')
    if (outcome !== 'whole') throw notProven(project, row, `lacks ${missing.count} chunks`)
    const extent = checkedExtent(project, row)
    if (typeof extent === 'string') throw notProven(project, row, extent)
    await readSome(store, extent, row, options)
  }
}

async function readSome(
  { blobs }: Pick<Store, 'blobs'>,
  extent: WriteExtent,
  row: WriteRow,
  { random = Math.random, ...options }: ProveOptions,
): Promise<void> {
  const last = extent.chunkCount - 1
  const reader = await blobs.open(extent, options)
  try {
    for (const seq of new Set([0, Math.floor(random() * extent.chunkCount), last]))
      if (!(await isWhole(reader, seq, options)))
        throw notProven(extent.project, row, `has a damaged chunk ${seq}`)
  } finally {
    await reader.close()
  }
}

async function isWhole(reader: BlobReader, seq: number, options: CallOptions): Promise<boolean> {
  for (const careful of [false, true])
    try {
      const { data, digest } = await reader.get(seq, { ...options, careful })
      if (digestOf(data).equals(digest)) return true
    } catch (error) {
      if (codeOf(error) !== 'chunk-missing') throw error
    }
  return false
}

function notProven(project: ProjectId, row: WriteRow, why: string): TidepoolError {
  return new TidepoolError('not-proven', `write ${row.writeId} of project ${project} ${why} in the store`, {
    hint: `Nothing was removed here. \`tidepool stream verify --write ${row.writeId}\` tells all that is wrong with it.`,
    facts: { project, writeId: row.writeId },
  })
}
