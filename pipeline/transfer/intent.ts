/** The two transactions before a commit: the intent, and the mark below which chunks may exist. Both settle a lost answer by a read. */
import { OutcomeUnknownError, TidepoolError } from '../base/errors.ts'
import type { ProjectId } from '../base/ids.ts'
import { readProject } from '../graph/settle.ts'
import type { Project, WriteRow } from '../graph/state.ts'
import { beginWrite, raiseSeqHigh } from '../graph/transitions/writes.ts'
import type { Store } from '../stores/contract.ts'

/** Resolves once the row is there, in state `writing`, under the epoch that was planned. */
export async function intend(
  store: Store,
  planned: Project,
  row: WriteRow,
  signal: AbortSignal,
): Promise<void> {
  const { catalogue } = store
  try {
    if (await catalogue.apply(beginWrite(planned, row), { signal })) return
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError) || signal.aborted) throw error
  }
  const now = await readProject(catalogue, planned.id, { signal })
  if (now.rows.get(row.writeId)?.state === 'writing') return
  if (now.statics.epoch === planned.statics.epoch && now.statics.life === 'live')
    throw new OutcomeUnknownError(`intent of write ${row.writeId}`)
  throw lostProject(planned.id)
}

/** Resolves once chunks below `seqHigh` may be written. */
export async function reserve(
  store: Store,
  planned: Project,
  row: WriteRow,
  seqHigh: number,
  signal: AbortSignal,
): Promise<void> {
  const raise = raiseSeqHigh(planned, row.writeId, seqHigh)
  try {
    if (await store.catalogue.apply(raise, { signal })) return
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError) || signal.aborted) throw error
  }
  const now = await readProject(store.catalogue, planned.id, { signal })
  const mark = now.rows.get(row.writeId)
  if (mark?.state === 'writing' && mark.seqHigh >= seqHigh) return
  if (mark?.state === 'writing' && now.statics.epoch === planned.statics.epoch)
    throw new OutcomeUnknownError(raise.what)
  throw lostProject(planned.id)
}

function lostProject(project: ProjectId): TidepoolError {
  return new TidepoolError(
    'project-lost',
    `project ${project} was taken over, rolled back or destroyed while the stream was being stored`,
    {
      hint: 'Look at the project again before you repeat it.',
    },
  )
}
