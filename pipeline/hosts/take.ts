/**
 * Taking a project (rule 14): from nobody, from a host that has ended or is dead, and never from one that lives.
 * Death is judged by one's own clock alone: the row of the host stood still for so long.
 */
import type { Clock } from '../base/clock.ts'
import { OutcomeUnknownError, TidepoolError } from '../base/errors.ts'
import type { HostId, ProjectId } from '../base/ids.ts'
import { EVERY_RULE, type Rules } from '../graph/rules.ts'
import { readProject, settle } from '../graph/settle.ts'
import type { Project } from '../graph/state.ts'
import { takeOver, touchProject } from '../graph/transitions/owner.ts'
import type { CallOptions, Catalogue } from '../stores/contract.ts'
import { TAKEOVER_AFTER_MS } from './heartbeat.ts'
import type { HostRow } from './state.ts'

/** Watches hosts' rows on this process's own clock. */
export class DeathWatch {
  readonly #clock: Clock
  readonly #afterMs: number
  readonly #seen = new Map<HostId, { renewSeq: bigint; session: string; sinceMs: number }>()

  constructor(clock: Clock, afterMs: number = TAKEOVER_AFTER_MS) {
    this.#clock = clock
    this.#afterMs = afterMs
  }

  /** Notes the row; how long it has stood still as far as this process saw. */
  stoodStillMs(row: HostRow): number {
    const nowMs = this.#clock.monotonicMs()
    const seen = this.#seen.get(row.host)
    if (seen?.renewSeq === row.renewSeq && seen.session === row.session) return nowMs - seen.sinceMs
    this.#seen.set(row.host, { renewSeq: row.renewSeq, session: row.session, sinceMs: nowMs })
    return 0
  }

  looksDead(row: HostRow): boolean {
    return row.state === 'live' && this.stoodStillMs(row) >= this.#afterMs
  }

  /** After a time in which nobody could have been seen to move: all have their time again. */
  forget(): void {
    this.#seen.clear()
  }
}

/** Marks a host dead unless it has renewed itself since `row` was read. Resolves with the row as it is then. */
export async function markDead(
  catalogue: Catalogue,
  row: HostRow,
  options: CallOptions = {},
): Promise<HostRow> {
  const changedAtMs = await catalogue.nowMs(options)
  try {
    await catalogue.applyHost(
      {
        what: `marking host ${row.host} dead`,
        host: row.host,
        if: { session: row.session, renewSeq: row.renewSeq, state: 'live' },
        set: { state: 'dead', changedAtMs },
      },
      options,
    )
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError)) throw error
  }
  return (await catalogue.readHost(row.host, options)) ?? row
}

export interface TakeOptions extends CallOptions {
  /** As it was read a moment ago, so that it is not read again: where it has changed since, the transaction is refused. */
  readonly known?: Project
  readonly rules?: Rules
}

/**
 * Makes `host` the owner and resolves with the project as it then is. Rejects with `owned-elsewhere` at once where a
 * host that is not known to be dead owns it. Owning it already costs one read.
 */
export async function takeProject(
  catalogue: Catalogue,
  id: ProjectId,
  host: HostId,
  options: TakeOptions = {},
): Promise<Project> {
  const { rules = EVERY_RULE } = options
  const project = options.known ?? (await readProject(catalogue, id, options))
  const { owner } = project.statics
  if (owner === host && project.statics.life === 'live') return project
  // The project first, then its owner's row: a host that dies and returns in between has moved rev (`returnTouch`).
  const ownerRow = owner === null || owner === host ? undefined : await catalogue.readHost(owner, options)
  if (rules.takeDead && ownerRow?.state === 'live') throw ownedElsewhere(id, ownerRow)
  const after = await settle(catalogue, project, takeOver(project, host, rules), options)
  if (after.statics.owner === host) return after
  const winner =
    after.statics.owner === null ? undefined : await catalogue.readHost(after.statics.owner, options)
  throw ownedElsewhere(id, winner)
}

function ownedElsewhere(id: ProjectId, row: HostRow | undefined): TidepoolError {
  return new TidepoolError(
    'owned-elsewhere',
    `project ${id} is owned by ${row ? `host ${row.host} (${row.name})` : 'another host'}`,
    {
      hint: 'Use it there, move it here, or wait until that host has released it or is known to be dead.',
      facts: { project: id, owner: row?.host, ownerName: row?.name },
    },
  )
}

/**
 * For a host that had been marked dead: moves rev of a project that still names it as owner, so that a take-over
 * planned while it was dead fails. Resolves with the project as it is; whether the host still owns it stands there.
 */
export async function touchAfterReturn(
  catalogue: Catalogue,
  id: ProjectId,
  host: HostId,
  options: TakeOptions = {},
): Promise<Project> {
  const project = await readProject(catalogue, id, options)
  const { rules = EVERY_RULE } = options
  if (project.statics.owner !== host || !rules.returnTouch) return project
  return settle(catalogue, project, touchProject(project), options)
}
