/** How a write leaves, step by step: superseded, its chunks let go, its row forgotten. */
import type { ProjectId } from '../../base/ids.ts'
import { EVERY_RULE, type Rules } from '../rules.ts'
import type { Project, WriteRow } from '../state.ts'
import type { Transaction } from '../transaction.ts'
import { fenced, requireLife, requireStates, rowTo } from './fenced.ts'

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
