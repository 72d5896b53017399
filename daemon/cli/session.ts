/**
 * Owns a project for the time of one piece of work, in a process that is no host's daemon: registers a host of its
 * own, keeps it alive, takes the project if nobody has it, and in the end gives all of it back, also after a failure.
 */
import { hostname } from 'node:os'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import { codeOf, OutcomeUnknownError, TidepoolError } from '../../pipeline/base/errors.ts'
import type { HostId, ProjectId, SessionId } from '../../pipeline/base/ids.ts'
import { isGone, thisProcess } from '../../pipeline/base/process.ts'
import { settle } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { createProject } from '../../pipeline/graph/transitions/life.ts'
import { releaseProject } from '../../pipeline/graph/transitions/owner.ts'
import { heartbeat, RENEW_INTERVAL_MS } from '../../pipeline/hosts/heartbeat.ts'
import { isPassing, registerPassing } from '../../pipeline/hosts/passing.ts'
import { endHost, type HostIdentity } from '../../pipeline/hosts/session.ts'
import type { HostRow } from '../../pipeline/hosts/state.ts'
import { DeathWatch, markDead, takeProject, touchAfterReturn } from '../../pipeline/hosts/take.ts'
import type { CallOptions, Catalogue } from '../../pipeline/stores/contract.ts'

export interface ProjectSession {
  readonly host: HostId
  readonly session: SessionId
  /** Fires when the caller's does, and when the host is lost: then nothing may be committed any more. */
  readonly signal: AbortSignal
}

export interface SessionOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Given, a host that owns the project is watched, and taken from if it is silent for long enough; hears of whom. */
  readonly takeOver?: ((row: HostRow) => void) | undefined
  /** Hears of what could not be given back. */
  readonly onLeftOver: (what: string, error: unknown) => void
}

/** How long giving back may take before it is left to whoever finds the host silent. */
const GIVE_BACK_LIMIT_MS = 10_000
const CREATE_TRIES = 8

export async function withProject<T>(
  catalogue: Catalogue,
  id: ProjectId,
  options: SessionOptions,
  work: (session: ProjectSession) => Promise<T>,
): Promise<T> {
  const { clock, onLeftOver } = options
  const lost = new LinkedAbort(options.signal)
  const beating = new AbortController()
  let beat: Promise<void> = Promise.resolve()
  let identity: HostIdentity | undefined
  try {
    const self = { name: `${hostname()}, stream put`, process: thisProcess() }
    const passing = await registerPassing(catalogue, self, lost)
    identity = passing.identity
    const { host, session } = identity
    // It goes on while things are given back after an abort, so it does not follow the caller's signal.
    beat = heartbeat(catalogue, identity, passing.row, { clock, signal: beating.signal }).catch(
      (error: unknown) => lost.abort(error),
    )
    await createIfAbsent(catalogue, id, host, lost)
    await take(catalogue, id, host, { ...options, signal: lost.signal })
    // Whoever had this id before may not have given the project back.
    if (passing.returned) await touchAfterReturn(catalogue, id, host, lost)
    return await work({ host, session, signal: lost.signal })
  } catch (error) {
    throw lost.signal.aborted ? lost.signal.reason : error
  } finally {
    if (identity) await giveBack(catalogue, id, identity, onLeftOver)
    beating.abort()
    await beat
    lost.leave()
  }
}

/** A creation of unknown outcome may be sent again: it holds only where there is no project yet. */
async function createIfAbsent(
  catalogue: Catalogue,
  id: ProjectId,
  owner: HostId,
  { signal }: CallOptions,
): Promise<void> {
  let lost: unknown
  for (let tries = 0; tries < CREATE_TRIES; tries++) {
    if (await catalogue.read(id, { signal })) return
    const nowMs = await catalogue.nowMs({ signal })
    try {
      if (await catalogue.apply(createProject(id, { owner, nowMs }), { signal })) return
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error
      lost = error
    }
  }
  throw new OutcomeUnknownError(`creation of ${id}`, lost)
}

/**
 * A project of another host is refused, with two exceptions: what a killed command of this machine still seems to own
 * is taken at once, and, if that was asked for, what a host owns that stands still under our eyes for long enough.
 */
async function take(
  catalogue: Catalogue,
  id: ProjectId,
  host: HostId,
  options: CallOptions & Pick<SessionOptions, 'clock' | 'takeOver'>,
): Promise<void> {
  try {
    await takeProject(catalogue, id, host, options)
  } catch (error) {
    if (codeOf(error) !== 'owned-elsewhere') throw error
    const owner = (await catalogue.read(id, options))?.statics.owner
    const row = owner ? await catalogue.readHost(owner, options) : undefined
    if (row?.state === 'live') {
      const isOver =
        (isPassing(row) && row.process && isGone(row.process)) || (await isSilent(catalogue, row, options))
      if (!isOver) throw isPassing(row) ? stillWriting(id, row, error) : error
      await markDead(catalogue, row, options)
    }
    await takeProject(catalogue, id, host, options)
  }
}

/** Looks for as long as it takes to be sure: one renewal proves life, only the whole time of silence proves death. */
async function isSilent(
  catalogue: Catalogue,
  seen: HostRow,
  { clock, signal, takeOver }: CallOptions & Pick<SessionOptions, 'clock' | 'takeOver'>,
): Promise<boolean> {
  if (!takeOver) return false
  takeOver(seen)
  const watch = new DeathWatch(clock)
  for (let row: HostRow | undefined = seen; ; row = await catalogue.readHost(seen.host, { signal })) {
    if (row?.state !== 'live') return true
    if (row.renewSeq !== seen.renewSeq || row.session !== seen.session) return false
    if (watch.looksDead(row)) return true
    await clock.sleep(RENEW_INTERVAL_MS, signal)
  }
}

function stillWriting(id: ProjectId, row: HostRow, cause: unknown): TidepoolError {
  return new TidepoolError('owned-elsewhere', `another command (${row.name}) is writing to project ${id}`, {
    cause,
    facts: { project: id, owner: row.host, ownerName: row.name },
    hint: 'Wait until it has ended. If its machine is gone, --take-over takes the project once that is proved.',
  })
}

/** Each step has its own try: a host that ended may be taken from at once, even where the release failed. */
async function giveBack(
  catalogue: Catalogue,
  id: ProjectId,
  identity: HostIdentity,
  onLeftOver: SessionOptions['onLeftOver'],
): Promise<void> {
  const signal = AbortSignal.timeout(GIVE_BACK_LIMIT_MS)
  let released: unknown
  try {
    await release(catalogue, id, identity.host, { signal })
  } catch (error) {
    released = error
  }
  try {
    await endHost(catalogue, identity, { signal })
  } catch (error) {
    onLeftOver(
      `project ${id} may stay owned by host ${identity.host} until it is known to be gone`,
      released ?? error,
    )
  }
}

async function release(
  catalogue: Catalogue,
  id: ProjectId,
  host: HostId,
  options: CallOptions,
): Promise<void> {
  const owned = (project: Project | undefined): project is Project => project?.statics.owner === host
  let project = await catalogue.read(id, options)
  // Another transaction of ours may have come in between, one of somebody else only if it took the project.
  for (let tries = 0; owned(project) && tries < CREATE_TRIES; tries++)
    project = await settle(catalogue, project, releaseProject(project), options)
}
