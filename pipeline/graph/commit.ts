/**
 * Commits a write whose every chunk was acknowledged to this process (rules 1 to 4). No data is ever sent twice:
 * after a lost or negative answer the row tells what happened, and while the plan still holds it is issued again.
 */
import { OutcomeUnknownError, TidepoolError } from '../base/errors.ts'
import type { WriteId } from '../base/ids.ts'
import type { CallOptions, Catalogue } from '../stores/contract.ts'
import type { Manifest } from '../transfer/manifest.ts'
import { type NeededOptions, superfluousWrites } from './needed.ts'
import { isReachable } from './plan.ts'
import { endWrite } from './resolve.ts'
import { EVERY_RULE, type Rules } from './rules.ts'
import { readProject } from './settle.ts'
import type { Project, WriteRow } from './state.ts'
import { applyTransaction, type Transaction } from './transaction.ts'
import { commitWrite } from './transitions/writes.ts'

export interface CommitAttempt extends CallOptions {
  readonly writeId: WriteId
  readonly manifest: Manifest
  /** The project as read before the intent: its epoch is the one under which all of this may happen. */
  readonly planned: Project
  /** What of the caller's plan must still hold in a project read anew (owner, descent from the head); the reason where it does not. */
  readonly stillAllowed?: (project: Project) => string | undefined
  readonly retention?: NeededOptions
  readonly rules?: Rules
}

/** Others commit into the same project at most now and then: so many lost races in a row mean that something is wrong. */
const COMMIT_TRIES = 20

/** Resolves with the project in which the write is committed. Rejects with `commit-refused` where it never will be. */
export async function commitAttempt(catalogue: Catalogue, attempt: CommitAttempt): Promise<Project> {
  const { writeId, planned, rules = EVERY_RULE } = attempt
  let project = await readProject(catalogue, planned.id, attempt)
  let lost: unknown
  for (let tries = 0; tries < COMMIT_TRIES; tries++) {
    const row = project.rows.get(writeId)
    if (happened(row, rules)) return project
    const refusal =
      tries > 0 && !rules.readOutcome ? 'the store did not confirm it' : reasonAgainst(project, attempt, row)
    if (refusal !== undefined) {
      if (lost === undefined || !rules.readOutcome) throw refused(attempt, refusal, lost)
      // One that was sent may still arrive where nothing but the caller's own reason speaks against it.
      const ended = row ? await endWrite(catalogue, planned.id, row, attempt) : 'gone'
      if (ended === 'aborted' || ended === 'gone') throw refused(attempt, refusal, lost)
      project = await readProject(catalogue, planned.id, attempt)
      continue
    }
    const nowMs = await catalogue.nowMs(attempt)
    const transaction = planCommit(project, attempt, nowMs)
    try {
      if (await catalogue.apply(transaction, attempt))
        return applyTransaction(project, transaction) ?? project
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error
      lost = error
    }
    project = await readProject(catalogue, planned.id, attempt)
  }
  throw new OutcomeUnknownError(`commit of write ${writeId}`, lost)
}

function happened(row: WriteRow | undefined, rules: Rules): boolean {
  if (row?.state === 'committed') return true
  return (
    rules.supersededIsDone &&
    row !== undefined &&
    ['superseded', 'deleting', 'deleted'].includes(row.state) &&
    row.committedAtMs !== null
  )
}

function reasonAgainst(
  project: Project,
  attempt: CommitAttempt,
  row: WriteRow | undefined,
): string | undefined {
  const { planned, rules = EVERY_RULE } = attempt
  if (row === undefined) return 'its row is gone'
  if (row.state !== 'writing') return `its row is ${row.state}`
  if (rules.reissueLive && project.statics.life !== 'live') return `the project is ${project.statics.life}`
  if (project.statics.epoch !== planned.statics.epoch && rules.commitEpoch)
    return `the project was taken over, rolled back or destroyed meanwhile (epoch ${planned.statics.epoch} is now ${project.statics.epoch})`
  if (rules.baseReachable && !isReachable(project, row.from))
    return `its base ${row.from} can no longer be reached`
  return attempt.stillAllowed?.(project)
}

function refused(attempt: CommitAttempt, why: string, cause: unknown): TidepoolError {
  return new TidepoolError(
    'commit-refused',
    `commit of write ${attempt.writeId} of ${attempt.planned.id}: ${why}`,
    {
      cause,
      hint: 'Nothing was lost where the data came from; save again from there.',
    },
  )
}

/** The commit together with the supersession of what it makes superfluous, judged on the graph as it will be. */
function planCommit(project: Project, attempt: CommitAttempt, nowMs: number): Transaction {
  const { rules = EVERY_RULE, retention } = attempt
  const alone = commitWrite(project, { ...attempt, nowMs }, rules)
  const after = applyTransaction(project, alone)
  if (!after) return alone
  const superfluous = superfluousWrites(after, { ...retention, rules }).filter(
    (row) => row.writeId !== attempt.writeId,
  )
  return commitWrite(project, { ...attempt, nowMs, supersede: superfluous }, rules)
}
