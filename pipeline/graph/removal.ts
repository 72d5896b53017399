/**
 * The last steps of a write that no transaction can commit any more: its chunks go, then its row says so. Each step
 * may be cut short and repeated, by this scrub or by another.
 */
import { OutcomeUnknownError, TidepoolError } from '../base/errors.ts'
import type { ProjectId } from '../base/ids.ts'
import type { CallOptions, Store } from '../stores/contract.ts'
import { endWrite } from './resolve.ts'
import type { WriteRow, WriteState } from './state.ts'
import { markDeleted } from './transitions/removal.ts'

const TRIES = 8

/**
 * `row` as it was read after the transaction that ended it: its high-water mark can grow no more. Resolves once the
 * store is known to hold it as `deleted`.
 */
export async function removeEnded(
  { blobs, catalogue }: Pick<Store, 'blobs' | 'catalogue'>,
  project: ProjectId,
  row: WriteRow,
  options: CallOptions = {},
): Promise<void> {
  // The one gate before chunks go: whatever a caller believes, a row in another state keeps them.
  if (row.state !== 'aborted' && row.state !== 'deleting')
    throw new TidepoolError(
      'write-not-ended',
      `removal of write ${row.writeId} of ${project}: it is ${row.state}`,
    )
  await blobs.remove(
    { project, writeId: row.writeId, chunkBytes: row.chunkBytes, seqHigh: row.seqHigh },
    options,
  )
  let lost: unknown
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      const nowMs = await catalogue.nowMs(options)
      if (await catalogue.apply(markDeleted(project, row, nowMs), options)) return
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error
      lost = error
    }
    const now = (await catalogue.read(project, options))?.rows.get(row.writeId)
    if (!now || now.state === 'deleted') return
  }
  throw new OutcomeUnknownError(`end of write ${row.writeId}`, lost)
}

/**
 * Ends a write that its writer has given up or left, removes what is stored of it, and only then forgets that it was
 * in progress: until there its entry is what tells a scrub where to go on. The state that it turned out to be in, and
 * its row as it was read then.
 */
export async function abandonWrite(
  store: Pick<Store, 'blobs' | 'catalogue'>,
  project: ProjectId,
  row: WriteRow,
  options: CallOptions = {},
): Promise<{ state: WriteState | 'gone'; ended: WriteRow | undefined }> {
  const { catalogue } = store
  const state = await endWrite(catalogue, project, row, options)
  // Only now is the high-water mark the last one: raising it needs a row that is still writing.
  const ended = (await catalogue.read(project, options))?.rows.get(row.writeId)
  if (ended?.state === 'aborted') await removeEnded(store, project, ended, options)
  await catalogue.forgetWriting(row.host, row.writeId, options)
  return { state, ended }
}

/** What a write takes, for the count of what one run deletes; an estimate where it was never committed. */
export function bytesOf(row: WriteRow): bigint {
  return row.manifest?.bytes ?? BigInt(row.seqHigh) * BigInt(row.chunkBytes)
}
