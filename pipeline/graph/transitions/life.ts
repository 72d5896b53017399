/** A project's lives, and what is set on it: created, destroyed, had back, purged, created anew; its properties and quota. */
import { TidepoolError } from '../../base/errors.ts'
import type { HostId, ProjectId } from '../../base/ids.ts'
import { EVERY_RULE, type Rules } from '../rules.ts'
import type { Life, Project, Statics } from '../state.ts'
import type { Transaction } from '../transaction.ts'
import { fenced, requireLife } from './fenced.ts'

export interface NewProject {
  readonly owner: HostId | null
  readonly nowMs: number
  readonly quotaBytes?: bigint
  readonly properties?: Readonly<Record<string, string>>
  readonly uid?: number
  readonly gid?: number
}

export function createProject(id: ProjectId, project: NewProject): Transaction {
  const set: Statics = {
    life: 'live',
    owner: project.owner,
    epoch: 1n,
    rev: 1n,
    born: 1n,
    head: null,
    kept: {},
    quotaBytes: project.quotaBytes ?? null,
    properties: project.properties ?? {},
    uid: project.uid ?? null,
    gid: project.gid ?? null,
    lifeAtMs: project.nowMs,
  }
  return { project: id, what: `creation of ${id}`, if: 'absent', set, rows: [] }
}

function changeLife(
  project: Project,
  what: string,
  from: Life,
  to: Life,
  nowMs: number,
  rules: Rules,
  set: Partial<Statics> = {},
): Transaction {
  requireLife(project, what, from)
  const epoch = project.statics.epoch + (rules.lifeEpoch ? 1n : 0n)
  return fenced(project, what, { life: to, lifeAtMs: nowMs, epoch, ...set })
}

/** The project can no longer be opened or saved; everything of it stays until it is purged. */
export const destroyProject = (project: Project, nowMs: number, rules: Rules = EVERY_RULE): Transaction =>
  changeLife(project, 'destroy', 'live', 'destroyed', nowMs, rules, { owner: null })

export const undeleteProject = (project: Project, nowMs: number, rules: Rules = EVERY_RULE): Transaction =>
  changeLife(project, 'undelete', 'destroyed', 'live', nowMs, rules)

/** The point of no return: from here rows are marked `deleting`, then their chunks go. */
export const startPurge = (project: Project, nowMs: number, rules: Rules = EVERY_RULE): Transaction =>
  changeLife(project, 'purge', 'destroyed', 'purging', nowMs, rules)

export function finishPurge(project: Project, nowMs: number, rules: Rules = EVERY_RULE): Transaction {
  const left = [...project.rows.values()].find((row) => row.state !== 'deleted')
  if (left)
    throw new TidepoolError(
      'purge-unfinished',
      `purge of ${project.id}: write ${left.writeId} is still ${left.state}`,
      {
        hint: 'Every write is marked deleting, its chunks removed and it is marked deleted before a purge ends.',
      },
    )
  return changeLife(project, 'end of the purge', 'purging', 'purged', nowMs, rules, { head: null, kept: {} })
}

/** A new life under an old id: nothing of the earlier one can commit into it, because epoch and rev go on. */
export function recreateProject(
  project: Project,
  { owner, nowMs, quotaBytes, properties, uid, gid }: NewProject,
  rules: Rules = EVERY_RULE,
): Transaction {
  const epoch = project.statics.epoch + (rules.recreateEpoch ? 1n : 0n)
  return changeLife(project, 're-creation', 'purged', 'live', nowMs, rules, {
    owner,
    epoch,
    born: epoch,
    head: null,
    kept: {},
    quotaBytes: quotaBytes ?? null,
    properties: properties ?? {},
    uid: uid ?? null,
    gid: gid ?? null,
  })
}

/** All of them, as they are to be: planned from those that were read, so it carries rev, and is refused where others came in between. */
export const setProjectProperties = (
  project: Project,
  properties: Readonly<Record<string, string>>,
): Transaction => {
  requireLife(project, 'a change of properties', 'live')
  return fenced(project, 'properties', { properties })
}

/** Carries the epoch only: a quota can be changed beside saves. */
export function setQuota(project: Project, quotaBytes: bigint | null): Transaction {
  const { epoch } = project.statics
  return { project: project.id, what: `quota of ${project.id}`, if: { epoch }, set: { quotaBytes }, rows: [] }
}
