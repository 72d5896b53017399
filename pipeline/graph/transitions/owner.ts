/** Who owns a project. */
import type { HostId } from '../../base/ids.ts'
import { EVERY_RULE, type Rules } from '../rules.ts'
import type { Project } from '../state.ts'
import type { Transaction } from '../transaction.ts'
import { fenced, requireLife } from './fenced.ts'

/** Makes a host the owner under a new epoch, which fences whoever owned before. `hosts/take.ts` says when that is allowed. */
export function takeOver(project: Project, host: HostId, rules: Rules = EVERY_RULE): Transaction {
  requireLife(project, 'taking', 'live')
  return fenced(project, 'taking', {
    owner: host,
    ...(rules.takeEpoch && { epoch: project.statics.epoch + 1n }),
  })
}

export function releaseProject(project: Project): Transaction {
  return fenced(project, 'release', { owner: null })
}

/** Moves nothing but rev: after it, nothing that was planned before can happen any more. */
export function touchProject(project: Project): Transaction {
  return fenced(project, 'touch', {})
}
