/**
 * Carries out a transition that moves rev (take-over, release, rollback, destroy, …) until its fate is certain
 * (rule `fence`): after a lost answer it may still be on its way, so "not there yet" proves nothing. Once rev has
 * moved past the read it was planned from, it has happened or never will.
 */
import { OutcomeUnknownError, TidepoolError } from '../base/errors.ts'
import type { ProjectId } from '../base/ids.ts'
import type { CallOptions, Catalogue } from '../stores/contract.ts'
import { EVERY_RULE, type Rules } from './rules.ts'
import type { Project } from './state.ts'
import type { Transaction } from './transaction.ts'
import { touchProject } from './transitions/owner.ts'

/** How often a fence is tried before the caller is told that it is still open. */
const FENCE_TRIES = 8

export interface SettleOptions extends CallOptions {
  readonly rules?: Rules
}

/**
 * Sends the transaction planned from `planned`, and returns the project as it is once that is decided. Whether the
 * transaction happened is for the caller to see in what it returns: who owns is always read, never remembered.
 * Rejects with `OutcomeUnknownError` only where the store stays silent to every question.
 */
export async function settle(
  catalogue: Catalogue,
  planned: Project,
  transaction: Transaction,
  options: SettleOptions = {},
): Promise<Project> {
  const { rules = EVERY_RULE } = options
  let open: unknown
  try {
    await catalogue.apply(transaction, options)
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError)) throw error
    open = error
  }
  // A false answer is settled by a read as well: the driver below may have sent it twice.
  for (let tries = 0; tries < FENCE_TRIES; tries++) {
    const project = await readProject(catalogue, planned.id, options)
    const moved = project.statics.rev !== planned.statics.rev
    if (moved || !rules.fence) return project
    try {
      await catalogue.apply(touchProject(planned), options)
    } catch (error) {
      // A touch of unknown outcome is as good as one that failed: the next read tells.
      if (!(error instanceof OutcomeUnknownError)) throw error
      open = error
    }
  }
  throw new OutcomeUnknownError(transaction.what, open)
}

/** The project, or an error that says so where there is none. */
export async function readProject(
  catalogue: Catalogue,
  id: ProjectId,
  options?: CallOptions,
): Promise<Project> {
  const project = await catalogue.read(id, options)
  if (!project)
    throw new TidepoolError('project-unknown', `there is no project ${id} in this store`, {
      hint: '`tidepool stream ls` lists the projects that there are.',
    })
  return project
}
