/**
 * Ends writes that were begun and will not be committed by whoever began them (rules 5 and 16): seen committed, or
 * aborted by transaction. Only after that may their chunks go.
 */
import { OutcomeUnknownError, TidepoolError } from '../base/errors.ts'
import type { HostId, ProjectId, SessionId, WriteId } from '../base/ids.ts'
import type { CallOptions, Catalogue } from '../stores/contract.ts'
import { EVERY_RULE, type Rules } from './rules.ts'
import { readProject } from './settle.ts'
import type { Project, WriteRow, WriteState } from './state.ts'
import { abortBeforeIntent, abortWrite } from './transitions/writes.ts'

const ABORT_TRIES = 8

/**
 * Aborts one write unless it is ended already, and returns the state it is in then: anything but `writing`.
 * `row` is the row as it is, or as its intent would insert it. `gone` where the project or the row is no more.
 */
export async function endWrite(
  catalogue: Catalogue,
  project: Project['id'],
  row: WriteRow,
  options: CallOptions = {},
): Promise<WriteState | 'gone'> {
  let lost: unknown
  for (let tries = 0; tries < ABORT_TRIES; tries++) {
    const now = await catalogue.read(project, options)
    if (!now) return 'gone'
    const there = now.rows.get(row.writeId)
    if (there && there.state !== 'writing') return there.state
    const nowMs = await catalogue.nowMs(options)
    try {
      if (
        await catalogue.apply(
          there ? abortWrite(project, row, nowMs) : abortBeforeIntent(project, row, nowMs),
          options,
        )
      )
        return 'aborted'
    } catch (error) {
      // An abort may be issued again and again: it is conditioned on its own row alone, and done is done.
      if (!(error instanceof OutcomeUnknownError)) throw error
      lost = error
    }
  }
  throw new OutcomeUnknownError(`abort of write ${row.writeId}`, lost)
}

export interface Resolver {
  readonly host: HostId
  readonly session: SessionId
  /** Whether a session of this host is known to be over; by default only one's own rows are ended. */
  readonly isEnded?: (session: SessionId) => boolean
  readonly rules?: Rules
}

/** Rows that this process has to end before it saves, opens, evicts or releases the project. */
export function unresolvedWrites(
  project: Project,
  { host, session, isEnded, rules = EVERY_RULE }: Resolver,
): WriteRow[] {
  if (!rules.resolveFirst) return []
  return [...project.rows.values()].filter(
    (row) =>
      row.state === 'writing' &&
      row.host === host &&
      (row.session === session || isEnded?.(row.session) === true || !rules.sessionRows),
  )
}

/** Ends them all; the ids of those that turned out to be aborted, so that their chunks can go. */
export async function resolveWrites(
  catalogue: Catalogue,
  project: Project,
  resolver: Resolver & CallOptions,
): Promise<WriteId[]> {
  const aborted: WriteId[] = []
  for (const row of unresolvedWrites(project, resolver))
    if ((await endWrite(catalogue, project.id, row, resolver)) === 'aborted') aborted.push(row.writeId)
  return aborted
}

export interface Resolved {
  /** As read after the last of them was ended: one that turned out to be committed may have moved the head. */
  readonly project: Project
  readonly aborted: readonly WriteId[]
}

/** Intents that were sent before may still arrive, but only so many. */
const RESOLVE_ROUNDS = 8

/** Reads the project and ends what this process has to end, until a read shows nothing more of it. */
export async function readResolved(
  catalogue: Catalogue,
  id: ProjectId,
  resolver: Resolver & CallOptions,
): Promise<Resolved> {
  const aborted: WriteId[] = []
  for (let round = 0; round < RESOLVE_ROUNDS; round++) {
    const project = await readProject(catalogue, id, resolver)
    if (unresolvedWrites(project, resolver).length === 0) return { project, aborted }
    aborted.push(...(await resolveWrites(catalogue, project, resolver)))
  }
  throw new TidepoolError(
    'writes-unresolved',
    `project ${id} shows ever new writes of host ${resolver.host}`,
    {
      temporary: true,
      hint: 'Another process with the same session writes to it: see that one host id is used by one machine.',
    },
  )
}
