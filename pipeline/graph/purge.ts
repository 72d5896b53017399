/**
 * Takes everything of a destroyed project away for good (rule 23): no way back from the first transaction on, each
 * row marked before its chunks go, every step repeatable by whoever comes next. What is left can be created again.
 */
import { OutcomeUnknownError } from '../base/errors.ts'
import type { ProjectId } from '../base/ids.ts'
import type { CallOptions, Store } from '../stores/contract.ts'
import { removeEnded } from './removal.ts'
import { endWrite } from './resolve.ts'
import { EVERY_RULE, type Rules } from './rules.ts'
import { readProject, settle } from './settle.ts'
import type { Project, WriteRow } from './state.ts'
import { finishPurge, startPurge } from './transitions/life.ts'
import { markDeleted, markDeleting } from './transitions/removal.ts'

export interface PurgeOptions extends CallOptions {
  readonly rules?: Rules
}

/** Rows to a transaction, as with a commit: past this a batch grows slow. */
const MARKED_AT_ONCE = 100
/** Each round takes away whatever it finds; another one is needed only where somebody else moved the project meanwhile. */
const ROUNDS = 20

/**
 * Resolves with the project as it is then: `purged`, or whatever somebody made of it in the meantime (undeleted
 * before the purge could begin, created again after another had ended it).
 */
export async function purgeProject(
  store: Pick<Store, 'blobs' | 'catalogue'>,
  id: ProjectId,
  options: PurgeOptions = {},
): Promise<Project> {
  const { catalogue } = store
  const { rules = EVERY_RULE } = options
  let project = await readProject(catalogue, id, options)
  for (let round = 0; round < ROUNDS; round++) {
    const { life } = project.statics
    if (life !== 'destroyed' && life !== 'purging') return project
    const nowMs = await catalogue.nowMs(options)
    if (life === 'destroyed') {
      project = await settle(catalogue, project, startPurge(project, nowMs, rules), options)
      continue
    }
    for (const row of project.rows.values())
      if (row.state === 'writing') await endWrite(catalogue, id, row, options)
    project = await markAll(store, await readProject(catalogue, id, options), options)
    for (const row of project.rows.values()) {
      if (isEnded(row)) await removeEnded(store, id, row, options)
      else if (!rules.purgeMarks) await removeUnmarked(store, id, row, options)
    }
    project = await readProject(catalogue, id, options)
    if (project.statics.life === 'purging' && isEmpty(project))
      project = await settle(catalogue, project, finishPurge(project, nowMs, rules), options)
  }
  throw new OutcomeUnknownError(`purge of ${id}`)
}

/** From here on nobody reads them: who looks at the project sees that they go. */
async function markAll(
  { catalogue }: Pick<Store, 'catalogue'>,
  planned: Project,
  options: PurgeOptions,
): Promise<Project> {
  let project = planned
  if (!(options.rules ?? EVERY_RULE).purgeMarks) return project
  for (let rows = readable(project); rows.length > 0; rows = readable(project)) {
    if (project.statics.life !== 'purging') return project
    const nowMs = await catalogue.nowMs(options)
    const marking = markDeleting(project, rows.slice(0, MARKED_AT_ONCE), nowMs)
    project = await settle(catalogue, project, marking, options)
  }
  return project
}

function readable(project: Project): WriteRow[] {
  return [...project.rows.values()].filter(({ state }) => state === 'committed' || state === 'superseded')
}

function isEmpty(project: Project): boolean {
  return [...project.rows.values()].every(({ state }) => state === 'deleted')
}

function isEnded({ state }: WriteRow): boolean {
  return state === 'aborted' || state === 'deleting'
}

/** What a purge must not do, for the model test to find. */
async function removeUnmarked(
  { blobs, catalogue }: Pick<Store, 'blobs' | 'catalogue'>,
  project: ProjectId,
  row: WriteRow,
  options: CallOptions,
): Promise<void> {
  if (row.state === 'deleted') return
  const { writeId, chunkBytes, seqHigh } = row
  await blobs.remove({ project, writeId, chunkBytes, seqHigh }, options)
  await catalogue.apply(markDeleted(project, row, await catalogue.nowMs(options)), options)
}
