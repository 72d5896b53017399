/** The start of an engine: the pool is locked, the host joins the store, and what an earlier start left is put in order. */
import type { Leftovers } from '../../native/zfs/leftovers.ts'
import { poolOf } from '../../native/zfs/names.ts'
import { poolState } from '../../native/zfs/pool.ts'
import { systemClock } from '../../pipeline/base/clock.ts'
import { DeathWatch } from '../../pipeline/hosts/take.ts'
import { Diverged } from './diverged.ts'
import { Drain } from './drain.ts'
import type { EngineParts } from './engine-parts.ts'
import type { ProjectHost, ProjectSettings } from './host.ts'
import { openHostRecord } from './host-record.ts'
import { type FoundAccess, type LastAccess, openLastAccess } from './last-access.ts'
import { LeftUnsaved } from './left-unsaved.ts'
import { ProjectLocks } from './locks.ts'
import { isLost, Membership } from './membership.ts'
import { Pinned } from './pinned.ts'
import { lockPool, type PoolLock } from './pool-lock.ts'
import { lastPutAway } from './put-away.ts'
import { endOutlived, refuseStuck } from './quarantine.ts'
import { Quiet } from './quiet.ts'
import { ReadOnlyWhileLost } from './read-only.ts'
import { type Reconciled, reconcile } from './reconcile.ts'
import { residentIds } from './resident-ids.ts'
import { Restores } from './restores.ts'
import { SaveQueue } from './save-queue.ts'
import { saveUnlessQuiet } from './save-unless-quiet.ts'
import { Untouched } from './untouched.ts'

const LEAVE_TAKEN_AFTER_MS = 60_000

export type OwnHost = ProjectHost & { settings: ProjectSettings }

export interface Assembled {
  readonly host: OwnHost
  readonly membership: Membership
  readonly lock: PoolLock
  /** What the start found and did. */
  readonly found: Reconciled & { readonly access: FoundAccess; readonly outlived: Leftovers }
  readonly saves: SaveQueue
  readonly access: LastAccess
  readonly drain: Drain
  readonly pinned: Pinned
  readonly unsaved: LeftUnsaved
  readonly diverged: Diverged
  readonly readOnly: ReadOnlyWhileLost
}

/** Rejects with `pool-locked` where another process works with the pool; what was begun is ended then, as after any failure. */
export async function assemble(parts: EngineParts, signal?: AbortSignal): Promise<Assembled> {
  const {
    zfs,
    parent,
    clock = systemClock,
    random = Math.random,
    onAct = () => {},
    onTidings = () => {},
  } = parts
  const run = signal ? { signal } : {}
  const { guid } = await poolState(zfs, poolOf(parent), run)
  // Before anything is read that the other process may be changing, the host's record above all.
  const lock = await lockPool(guid)
  let membership: Membership | undefined
  let quiet: Quiet | undefined
  let readOnly: ReadOnlyWhileLost | undefined
  try {
    const outlived = await endOutlived({ zfs, parent }, run)
    const record = await openHostRecord(parts.stateDirectory)
    membership = await Membership.join(
      parts.store.catalogue,
      {
        clock,
        host: record.host,
        name: parts.name,
        newSession: record.newSession,
        residents: () => residentIds(zfs, parent),
        ...parts.membership,
        onChange: (state) => {
          // While it was thought dead its projects may have been taken, of which no count of what was written tells.
          if (state.kind === 'live') quiet?.forgetAll()
          readOnly?.changed()
          parts.membership?.onChange?.(state)
        },
      },
      signal,
    )
    const member = membership
    const drain = await Drain.open(parts.stateDirectory, clock)
    const pinned = await Pinned.open(parts.stateDirectory)
    const host: OwnHost = {
      store: parts.store,
      limiter: parts.limiter,
      streamCache: parts.streamCache,
      clock,
      zfs,
      parent,
      poolGuid: guid,
      mountRoot: parts.mountRoot,
      host: record.host,
      // Another one after the host was thought dead and came back.
      get session() {
        return member.session
      },
      isEnded: record.isEnded,
      deathWatch: new DeathWatch(clock),
      locks: new ProjectLocks(
        () => clock.monotonicMs(),
        (id) => refuseStuck({ zfs, parent }, id),
      ),
      restores: new Restores(() => clock.monotonicMs()),
      untouched: new Untouched(),
      settings: parts.settings,
      refusal: () => drain.refusal,
      unmounting: parts.unmounting,
      writable: async (id, options) => readOnly?.release(id, options),
      mayAct: () => member.mayAct(),
    }
    readOnly = await ReadOnlyWhileLost.open(parts.stateDirectory, {
      host,
      isLost: () => isLost(member.state),
      onHostLoss: () => host.settings.onHostLoss,
      onChange: (id, isReadOnly) => onTidings({ kind: isReadOnly ? 'read-only' : 'writable', id }),
    })
    const found = await reconcile(host, run)
    const lookedAt = new Quiet(host, () => saves.intervalMs)
    quiet = lookedAt
    const unsaved = new LeftUnsaved(await lastPutAway(parts.stateDirectory))
    const saves: SaveQueue = new SaveQueue({
      clock,
      random,
      save: async (id, stop, begins) => {
        const upToMs = await saveUnlessQuiet(host, lookedAt, id, {
          signal: stop,
          onAct,
          begins,
          seen: async (saved) => {
            await diverged.note(id, saved)
            await diverged.leave(id, stop)
          },
        })
        // Nobody writes to what is not mounted: once is enough.
        if (unsaved.saved(id)) saves.forget(id)
        return upToMs
      },
      ...parts.saves,
    })
    const { access, found: foundAccess } = await openLastAccess(parts.stateDirectory, { clock })
    const diverged: Diverged = new Diverged({
      host,
      idleMs: (id) => access.idleMs(id),
      leaveAfterMs: parts.leaveTakenAfterMs ?? LEAVE_TAKEN_AFTER_MS,
      found: ({ id, takenBy, point }) =>
        onTidings({ kind: 'diverged', id, point, takenBy: takenBy?.host ?? null }),
      gone: (id, aside) => {
        saves.forget(id)
        if (aside) onTidings({ kind: 'set-aside', id, ...aside })
      },
      unmounted: parts.unmounted ?? (async () => {}),
    })
    return {
      host,
      membership,
      lock,
      found: { ...found, access: foundAccess, outlived },
      saves,
      access,
      drain,
      pinned,
      unsaved,
      diverged,
      readOnly,
    }
  } catch (error) {
    await membership?.leave({ forGood: false })
    await lock.release()
    throw error
  }
}
