/**
 * What all transitions are made with. A transition is a change of a project as a function from what was read to a transaction:
 * nothing here waits or asks. It says under which conditions it may happen, the store carries it out, `../commit.ts` and
 * `../settle.ts` deal with lost answers. Where the project as read already forbids it, it throws and nothing is sent.
 */
import { TidepoolError } from '../../base/errors.ts'
import type { Life, Project, Statics, WriteRow } from '../state.ts'
import type { RowChange, Transaction } from '../transaction.ts'

/** A change under the epoch and rev of the read: it happens as planned or not at all. */
export function fenced(
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

export function requireLife(project: Project, what: string, ...allowed: Life[]): void {
  const { life } = project.statics
  if (!allowed.includes(life))
    throw new TidepoolError(`project-${life}`, `${what} of ${project.id}: the project is ${life}`, {
      hint:
        life === 'destroyed'
          ? 'It can be had back by undelete until its window ends.'
          : `This needs a project that is ${allowed.join(' or ')}.`,
    })
}

export function requireStates(
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

export function rowTo(row: WriteRow, state: WriteRow['state'], nowMs: number): RowChange {
  return { kind: 'update', writeId: row.writeId, if: row.state, set: { state, changedAtMs: nowMs } }
}
