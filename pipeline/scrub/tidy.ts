/**
 * Brings one project's rows one step further: ended writes lose their chunks, superseded ones whose grace is over
 * are marked and go, superfluous ones are superseded, old rows leave, a destroyed project past its window is purged.
 */
import { OutcomeUnknownError } from '../base/errors.ts'
import type { ProjectId } from '../base/ids.ts'
import { purgeProject } from '../graph/purge.ts'
import { bytesOf, removeEnded } from '../graph/removal.ts'
import { readProject } from '../graph/settle.ts'
import type { Project, WriteRow } from '../graph/state.ts'
import { forgetWrite, markDeleting, supersedeWrites } from '../graph/transitions/removal.ts'
import { MAX_SUPERSEDED_BY_COMMIT } from '../graph/transitions/writes.ts'
import { unchecked } from './attempt.ts'
import type { Action, CleaningFinding, CleaningKind, Finding } from './findings.ts'
import type { Run } from './settings.ts'
import { planUpkeep, type UpkeepPolicy, wantedBytes } from './upkeep.ts'

/**
 * Without `apply` it says what it would do. Judges on reads of its own, so that it may come long after a survey.
 * The first thing of a project that fails ends its turn: what is left of it waits for the next run.
 */
export async function* tidyProject(
  run: Run,
  id: ProjectId,
  policy: UpkeepPolicy,
  apply: boolean,
): AsyncGenerator<Finding, void> {
  if (run.spoiled.has(id)) return
  try {
    const project = await readProject(run.store.catalogue, id, run)
    const { purge } = planUpkeep(project, policy)
    if (purge !== 'no') yield* tidyPurge(run, project, policy, apply)
    else yield* tidyRows(run, project, policy, apply)
  } catch (error) {
    yield unchecked(run, `project ${id}`, error, { project: id })
  }
}

async function* tidyPurge(
  run: Run,
  project: Project,
  policy: UpkeepPolicy,
  apply: boolean,
): AsyncGenerator<Finding, void> {
  const upkeep = planUpkeep(project, policy)
  const bytes = wantedBytes(project, upkeep)
  const due = upkeep.purge === 'due'
  const found = (action: Action, after = ''): CleaningFinding => ({
    kind: due ? 'project-expired' : 'unfinished-purge',
    project: project.id,
    writeId: null,
    message: due
      ? `project ${project.id} was destroyed and its window is over${after}`
      : `the purge of project ${project.id} was begun and not ended${after}`,
    action,
    bytes: due ? bytes : null,
  })
  if (!apply) return yield found('would-purge')
  if (due && !run.budget.take(bytes)) return yield found('none', ', and waits for the next run')
  const after = await purgeProject(run.store, project.id, run)
  yield after.statics.life === 'purged'
    ? found('done')
    : found('none', `, and is ${after.statics.life} again`)
}

async function* tidyRows(
  run: Run,
  project: Project,
  policy: UpkeepPolicy,
  apply: boolean,
): AsyncGenerator<Finding, void> {
  const upkeep = planUpkeep(project, policy)
  if (!apply) {
    const { id } = project
    for (const row of upkeep.ended) yield found('unfinished-removal', id, row, 'would-remove')
    for (const row of upkeep.expired) yield found('superseded-expired', id, row, 'would-remove')
    for (const row of upkeep.superfluous) yield found('superfluous-write', id, row, 'would-supersede')
    for (const row of upkeep.forgettable) yield found('row-expired', id, row, 'would-forget')
    return
  }
  for (const row of upkeep.ended) {
    await removeEnded(run.store, project.id, row, run)
    yield found('unfinished-removal', project.id, row, 'done')
  }
  yield* expire(run, project, upkeep.expired, policy)
  yield* supersede(run, project.id, policy)
  for (const row of upkeep.forgettable) yield* forget(run, project.id, row)
}

/** Marked first, many at once; only what a transaction has marked goes. */
async function* expire(
  run: Run,
  planned: Project,
  rows: readonly WriteRow[],
  { nowMs }: UpkeepPolicy,
): AsyncGenerator<Finding, void> {
  const { store, budget } = run
  const affordable: WriteRow[] = []
  for (const row of rows)
    if (budget.take(bytesOf(row))) affordable.push(row)
    else yield found('superseded-expired', planned.id, row, 'none', 'and waits for the next run')
  for (let first = 0; first < affordable.length && nowMs !== null; first += MAX_SUPERSEDED_BY_COMMIT) {
    const batch = affordable.slice(first, first + MAX_SUPERSEDED_BY_COMMIT)
    const project = first === 0 ? planned : await readProject(store.catalogue, planned.id, run)
    const stillThere = batch.filter((row) => project.rows.get(row.writeId)?.state === 'superseded')
    if (stillThere.length > 0) await attempt(run, markDeleting(project, stillThere, nowMs))
    const marked = await readProject(store.catalogue, planned.id, run)
    for (const { writeId } of batch) {
      const row = marked.rows.get(writeId)
      if (row?.state === 'deleting') {
        await removeEnded(store, planned.id, row, run)
        yield found('superseded-expired', planned.id, row, 'done')
      } else if (row?.state === 'superseded')
        yield found('superseded-expired', planned.id, row, 'none', 'and gives way to a save')
    }
  }
}

/** On a read of its own, and once: a transaction that is refused gives way to the save that moved the project. */
async function* supersede(run: Run, id: ProjectId, policy: UpkeepPolicy): AsyncGenerator<Finding, void> {
  const { nowMs } = policy
  const project = await readProject(run.store.catalogue, id, run)
  const edges = planUpkeep(project, policy).superfluous.slice(0, MAX_SUPERSEDED_BY_COMMIT)
  if (edges.length === 0 || nowMs === null) return
  const done = await attempt(run, supersedeWrites(project, edges, nowMs))
  for (const row of edges)
    yield done
      ? found('superfluous-write', id, row, 'done')
      : found('superfluous-write', id, row, 'none', 'and gives way to a save')
}

async function* forget(run: Run, id: ProjectId, row: WriteRow): AsyncGenerator<Finding, void> {
  if (await attempt(run, forgetWrite(id, row))) yield found('row-expired', id, row, 'done')
}

/** False where it did not happen, or nobody knows: what it should have done is read before anything rests on it. */
async function attempt(
  run: Run,
  transaction: Parameters<Run['store']['catalogue']['apply']>[0],
): Promise<boolean> {
  try {
    return await run.store.catalogue.apply(transaction, run)
  } catch (error) {
    if (error instanceof OutcomeUnknownError) return false
    throw error
  }
}

const WORDS = {
  'unfinished-removal': 'has ended and may have left chunks',
  'superseded-expired': 'was superseded and its grace is over',
  'superfluous-write': 'is needed by no kept point',
  'row-expired': 'ended long ago',
} as const satisfies Partial<Record<CleaningKind, string>>

function found(
  kind: keyof typeof WORDS,
  project: ProjectId,
  row: WriteRow,
  action: Action,
  after = '',
): CleaningFinding {
  return {
    kind,
    project,
    writeId: row.writeId,
    message: `write ${row.writeId} of ${project} ${WORDS[kind]}${after && `, ${after}`}`,
    action,
    bytes: kind === 'row-expired' ? null : bytesOf(row),
  }
}
