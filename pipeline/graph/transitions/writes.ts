/** The transitions of one write: begun, committed or given up. */
import { TidepoolError } from '../../base/errors.ts'
import type { ProjectId, WriteId } from '../../base/ids.ts'
import type { Manifest } from '../../transfer/manifest.ts'
import { EVERY_RULE, type Rules } from '../rules.ts'
import type { Project, WriteRow } from '../state.ts'
import type { Transaction } from '../transaction.ts'
import { requireLife, rowTo } from './fenced.ts'
import { isPoint } from './points.ts'

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
