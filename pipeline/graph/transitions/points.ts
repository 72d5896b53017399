/** Where a project's head is, and which points are kept whatever the policy says. */
import { TidepoolError } from '../../base/errors.ts'
import type { Guid } from '../../base/ids.ts'
import { isReachable } from '../plan.ts'
import { EVERY_RULE, type Rules } from '../rules.ts'
import type { KeptReason, Project } from '../state.ts'
import type { Transaction } from '../transaction.ts'
import { fenced, requireLife } from './fenced.ts'

/** A point is the end of a committed edge that can be reached. */
export function isPoint(project: Project, point: Guid): boolean {
  return (
    [...project.rows.values()].some((row) => row.state === 'committed' && row.to === point) &&
    isReachable(project, point)
  )
}

/** Moves the head back (or sideways) to a point; the old head is kept until somebody acknowledges it. */
export function rollback(
  project: Project,
  to: Guid,
  oldHead: KeptReason = 'left-by-rollback',
  rules: Rules = EVERY_RULE,
): Transaction {
  requireLife(project, 'rollback', 'live')
  const { epoch, head, kept } = project.statics
  if (!isPoint(project, to))
    throw new TidepoolError(
      'point-unknown',
      `rollback of ${project.id} to ${to}: no committed streams lead to that point`,
      {
        hint: `\`tidepool stream graph ${project.id}\` shows the points that there are.`,
      },
    )
  return fenced(project, 'rollback', {
    head: to,
    ...(rules.rollbackEpoch && { epoch: epoch + 1n }),
    ...(rules.keepSide && head !== null && head !== to && { kept: { ...kept, [head]: oldHead } }),
  })
}

export function keepPoint(project: Project, point: Guid, reason: KeptReason): Transaction {
  if (!isPoint(project, point))
    throw new TidepoolError(
      'point-unknown',
      `keeping ${point} of ${project.id}: no committed streams lead to that point`,
      { hint: `\`tidepool stream graph ${project.id}\` shows the points that there are.` },
    )
  return fenced(project, 'keeping a point', { kept: { ...project.statics.kept, [point]: reason } })
}

/** From now on the policy alone decides about these points. */
export function acknowledgePoints(project: Project, points: readonly Guid[]): Transaction {
  const kept = Object.fromEntries(
    Object.entries(project.statics.kept).filter(([point]) => !points.includes(point as Guid)),
  )
  return fenced(project, 'acknowledging points', { kept })
}
