/** What the API tells of things: the same names everywhere, times in UTC. */
import type { StuckCommand } from '../../native/zfs/run.ts'
import { messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { HostId, ProjectId } from '../../pipeline/base/ids.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { type DivergedProject, divergedText } from '../projects/diverged.ts'
import type { Drain } from '../projects/drain.ts'
import type { Engine } from '../projects/engine.ts'
import type { HistoryPoint } from '../projects/history.ts'
import { stuckOn } from '../projects/quarantine.ts'
import type { Found, Reconciled } from '../projects/reconcile.ts'
import type { WhyStays } from '../projects/residency.ts'
import type { Sweeper } from '../projects/sweep.ts'
import { usageOf } from '../projects/usage.ts'

export const utc = (ms: number): string => new Date(ms).toISOString()

export function projectView({ id, statics }: Project) {
  return {
    id,
    state: statics.life,
    owner: statics.owner,
    head: statics.head,
    quotaBytes: statics.quotaBytes,
    properties: statics.properties,
    uid: statics.uid,
    gid: statics.gid,
    epoch: statics.epoch,
  }
}

export function usageView(project: Project) {
  const { referencedBytes, usedBytes, logicalBytes, storeBytes } = usageOf(project)
  return {
    referencedBytes: referencedBytes ?? null,
    usedBytes: usedBytes ?? null,
    logicalBytes: logicalBytes ?? null,
    storeBytes,
  }
}

/** What this host knows of it at this moment, without asking anybody. */
export function hereView(engine: Engine, id: ProjectId) {
  const saves = engine.saves.state(id)
  const lock = engine.host.locks.state(id)
  const nowMs = engine.host.clock.monotonicMs()
  return {
    open: saves !== undefined,
    doing: lock ? { what: lock.what, forMs: Math.round(lock.forMs), waiting: lock.waiting } : null,
    unsavedMs: saves ? Math.round(nowMs - saves.savedUpToMs) : null,
    nextSaveInMs: saves?.nextAtMs === undefined ? null : Math.max(0, Math.round(saves.nextAtMs - nowMs)),
    failedSaves: saves?.failures ?? 0,
    lastError: saves?.error instanceof Error ? saves.error.message : null,
    staysBecause: whyHere(engine.sweeper, id),
    mountedBecause: engine.sweeper.last?.mounted.get(id) ?? null,
    idleMs: saves ? Math.round(engine.access.idleMs(id)) : null,
    diverged: divergedView(engine.diverged.get(id)),
    quarantined: stuckView(stuckOn(engine.host, id)),
  }
}

export const divergedView = (one: DivergedProject | undefined) =>
  one
    ? {
        id: one.id,
        since: utc(one.sinceMs),
        takenBy: one.takenBy ?? null,
        point: one.point,
        text: divergedText(one),
        because: one.error === undefined ? null : messageOf(one.error),
      }
    : null

export const stuckView = (one: StuckCommand | undefined) =>
  one ? { pid: one.pid, command: one.command, since: utc(one.sinceMs) } : null

/** What is below the parent and is no project at its place: named, and left alone. */
export const besideView = ({ aside, restored, renamed, unknown }: Omit<Found, 'residents'>) => ({
  aside: aside.slice(0, MOST_NAMED).map(({ id, name, why }) => ({ id, name, why: why ?? null })),
  restored: restored.slice(0, MOST_NAMED).map(({ id, name, point }) => ({ id, name, point })),
  renamed: renamed.slice(0, MOST_NAMED),
  unknown: unknown.slice(0, MOST_NAMED),
})

/** Of a kind: who has more finds the rest with `zfs list`. */
const MOST_NAMED = 100

/** What the start could not do; the next one tries again. */
export const leftView = ({ left }: Pick<Reconciled, 'left'>) =>
  left.map(({ what, error }) => ({ what, because: messageOf(error) }))

export const pointView = (point: HistoryPoint, hostNames: ReadonlyMap<HostId, string>) => ({
  point: point.guid,
  at: utc(point.atMs),
  name: point.name ?? null,
  host: point.host,
  hostName: hostNames.get(point.host) ?? null,
  streams: point.pathStreams,
  bytes: point.pathBytes,
  referencedBytes: point.referencedBytes ?? null,
  isHead: point.isHead,
  keptAs: point.keptAs ?? null,
})

/** What the last look at the pool let go, and what it could not. */
export function sweepView({ last, error }: Sweeper) {
  if (!last) return error === undefined ? null : { failed: messageOf(error) }
  return {
    at: utc(last.atMs),
    evicted: last.evicted,
    unmounted: last.unmounted,
    refused: last.refused.map(({ id, why: wanted, error: cause }) => ({
      id,
      why: wanted,
      because: messageOf(cause),
    })),
    shortOfBytes: last.shortOfBytes,
    tooMany: last.tooMany,
    ...(error !== undefined && { failed: messageOf(error) }),
  }
}

export function drainView({ state }: Drain) {
  if (!state) return null
  const { sinceMs, evicted, doing, left, isDone, error } = state
  return {
    since: utc(sinceMs),
    done: isDone,
    evicted,
    doing: doing ?? null,
    left: left.map(({ id, error: why }) => ({
      id,
      because: why === undefined ? null : messageOf(why),
      holders: (why instanceof TidepoolError && why.facts.holders) || [],
    })),
    ...(error !== undefined && { failed: messageOf(error) }),
  }
}

/** Why it was not let go, where the last look saw a reason. */
export const whyHere = ({ last }: Sweeper, id: ProjectId): WhyStays | null => last?.stay.get(id) ?? null
