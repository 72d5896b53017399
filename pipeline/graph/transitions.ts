/**
 * Every change of a project, as a function from what was read to a transaction. Nothing here waits or asks: a
 * transition says under which conditions it may happen, the store carries it out, `commit.ts` and `settle.ts` deal
 * with lost answers. Where the project as read already forbids it, the transition throws and nothing is sent.
 */
import { TidepoolError } from '../base/errors.ts'
import type { Guid, HostId, ProjectId, WriteId } from '../base/ids.ts'
import type { Manifest } from '../transfer/manifest.ts'
import { isReachable } from './plan.ts'
import { EVERY_RULE, type Rules } from './rules.ts'
import type { KeptReason, Life, Project, Statics, WriteRow } from './state.ts'
import type { RowChange, Transaction } from './transaction.ts'

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

/** A change under the epoch and rev of the read: it happens as planned or not at all. */
function fenced(
  project: Project,
  what: string,
  set: Partial<Statics>,
  rows: readonly RowChange[] = [],
): Transaction {
  const { epoch, rev } = project.statics
  return {
    project: project.id,
    what: `${what} of ${project.id}`,
    if: { epoch, rev },
    set: { rev: rev + 1n, ...set },
    rows,
  }
}

function requireLife(project: Project, what: string, ...allowed: Life[]): void {
  const { life } = project.statics
  if (!allowed.includes(life))
    throw new TidepoolError(`project-${life}`, `${what} of ${project.id}: the project is ${life}`, {
      hint:
        life === 'destroyed'
          ? 'It can be had back by undelete until its window ends.'
          : `This needs a project that is ${allowed.join(' or ')}.`,
    })
}

function requireStates(
  project: Project,
  what: string,
  rows: readonly WriteRow[],
  ...allowed: WriteRow['state'][]
): void {
  const other = rows.find((row) => !allowed.includes(row.state))
  if (other)
    throw new TidepoolError(
      'write-state-wrong',
      `${what} of write ${other.writeId} of ${project.id}: it is ${other.state}, not ${allowed.join(' or ')}`,
    )
}

// ---- writes

/** Inserts the row of a write, before its first chunk. Carries the epoch only: saves do not disturb each other's intents. */
export function beginWrite(project: Project, row: WriteRow): Transaction {
  requireLife(project, 'a write', 'live')
  const { epoch } = project.statics
  return {
    project: project.id,
    what: `intent of write ${row.writeId}`,
    if: { epoch, life: 'live' },
    set: {},
    rows: [{ kind: 'insert', row }],
  }
}

/** Raises the number below which chunks may exist, before the first of them is written. */
export function raiseSeqHigh(project: Project, writeId: WriteId, seqHigh: number): Transaction {
  return {
    project: project.id,
    what: `high-water mark of write ${writeId}`,
    if: { epoch: project.statics.epoch },
    set: {},
    rows: [{ kind: 'update', writeId, if: 'writing', set: { seqHigh } }],
  }
}

export interface Commit {
  readonly writeId: WriteId
  readonly manifest: Manifest
  readonly nowMs: number
  /** Edges that this commit makes superfluous; what does not fit is left to scrub. */
  readonly supersede?: readonly WriteRow[]
}

/** Past this a batch grows slow, and the rest can wait for scrub. */
export const MAX_SUPERSEDED_BY_COMMIT = 100

/**
 * Makes a write an edge, and its end the head unless it is a side write. A side write's end that was no point
 * before is kept until somebody acknowledges it.
 */
export function commitWrite(project: Project, commit: Commit, rules: Rules = EVERY_RULE): Transaction {
  const { writeId, manifest, nowMs, supersede = [] } = commit
  const { epoch, rev, head, kept } = project.statics
  const row = project.rows.get(writeId)
  if (row?.state !== 'writing')
    throw new TidepoolError(
      'write-not-writing',
      `commit of write ${writeId} of ${project.id}: its row is ${row?.state ?? 'not there'}`,
      {
        hint: 'It was ended by somebody else; what it should have saved is saved by the next save.',
      },
    )
  const newSide = row.side && row.to !== head && !isPoint(project, row.to)
  return {
    project: project.id,
    what: `commit of write ${writeId}`,
    if: {
      ...(rules.reissueLive && { life: 'live' as const }),
      ...(rules.commitEpoch && { epoch }),
      ...(rules.commitRev && { rev }),
    },
    set: {
      rev: rev + 1n,
      ...(!row.side && { head: row.to }),
      ...(newSide && rules.keepSide && { kept: { ...kept, [row.to]: 'side' as const } }),
    },
    rows: [
      {
        kind: 'update',
        writeId,
        if: 'writing',
        set: { state: 'committed', manifest, changedAtMs: nowMs, committedAtMs: nowMs },
      },
      ...supersede.slice(0, MAX_SUPERSEDED_BY_COMMIT).map((edge) => rowTo(edge, 'superseded', nowMs)),
    ],
  }
}

/** A point is the end of a committed edge that can be reached. */
export function isPoint(project: Project, point: Guid): boolean {
  return (
    [...project.rows.values()].some((row) => row.state === 'committed' && row.to === point) &&
    isReachable(project, point)
  )
}

function rowTo(row: WriteRow, state: WriteRow['state'], nowMs: number): RowChange {
  return { kind: 'update', writeId: row.writeId, if: row.state, set: { state, changedAtMs: nowMs } }
}

/** Ends a write that will not commit. Carries its row's state only, so that nothing else can delay it. */
export function abortWrite(project: ProjectId, row: WriteRow, nowMs: number): Transaction {
  return {
    project,
    what: `abort of write ${row.writeId}`,
    if: {},
    set: {},
    rows: [rowTo({ ...row, state: 'writing' }, 'aborted', nowMs)],
  }
}

/** Ends a write whose intent has not come yet, so that it fails when it comes. */
export function abortBeforeIntent(project: ProjectId, row: WriteRow, nowMs: number): Transaction {
  const aborted: WriteRow = { ...row, state: 'aborted', changedAtMs: nowMs }
  return {
    project,
    what: `abort of write ${row.writeId} before its intent`,
    if: {},
    set: {},
    rows: [{ kind: 'insert', row: aborted }],
  }
}

/** Takes edges off the graph that the same read showed to be superfluous. Their chunks stay for a while. */
export function supersedeWrites(
  project: Project,
  edges: readonly WriteRow[],
  nowMs: number,
  rules: Rules = EVERY_RULE,
): Transaction {
  requireLife(project, 'superseding', 'live')
  requireStates(project, 'superseding', edges, 'committed')
  const rows = edges.map((edge) => rowTo(edge, 'superseded', nowMs))
  const planned = fenced(project, 'superseding', {}, rows)
  return rules.supersedeRev ? planned : { ...planned, if: {} }
}

/** After this readers no longer count on the chunks, and they may go. From `superseded` after its grace, in a purge from `committed` too. */
export function markDeleting(project: Project, edges: readonly WriteRow[], nowMs: number): Transaction {
  const purged = project.statics.life === 'purging'
  requireStates(
    project,
    'marking for deletion',
    edges,
    'superseded',
    ...(purged ? ['committed' as const] : []),
  )
  return fenced(
    project,
    'marking for deletion',
    {},
    edges.map((edge) => rowTo(edge, 'deleting', nowMs)),
  )
}

/** The chunks are gone. From `deleting`, or from `aborted`. */
export function markDeleted(project: ProjectId, row: WriteRow, nowMs: number): Transaction {
  return {
    project,
    what: `end of write ${row.writeId}`,
    if: {},
    set: {},
    rows: [rowTo(row, 'deleted', nowMs)],
  }
}

/** Lets the row of a write that ended long ago go. */
export function forgetWrite(project: ProjectId, row: WriteRow): Transaction {
  return {
    project,
    what: `removal of the row of write ${row.writeId}`,
    if: {},
    set: {},
    rows: [{ kind: 'remove', writeId: row.writeId, if: row.state }],
  }
}

// ---- owners

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

// ---- points

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

// ---- life

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
