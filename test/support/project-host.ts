/** A host with a pool of its own in front of a store: what tests of projects begin with. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { ProjectHost, ProjectSettings } from '../../daemon/projects/host.ts'
import { ProjectLocks } from '../../daemon/projects/locks.ts'
import { Restores } from '../../daemon/projects/restores.ts'
import { Untouched } from '../../daemon/projects/untouched.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import { poolOf } from '../../native/zfs/names.ts'
import { poolState } from '../../native/zfs/pool.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { type Clock, systemClock } from '../../pipeline/base/clock.ts'
import { newHostId, newSessionId } from '../../pipeline/base/ids.ts'
import { DEFAULT_RETENTION } from '../../pipeline/graph/retention.ts'
import { registerHost } from '../../pipeline/hosts/session.ts'
import { DeathWatch } from '../../pipeline/hosts/take.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import type { Store } from '../../pipeline/stores/contract.ts'

/** Of a test alone: a fake or a real ZFS, with a parent dataset and a directory for mounts. */
export interface PoolWorld {
  readonly zfs: Zfs
  readonly parent: DatasetName
  readonly mounts: string
}

export const TEST_SETTINGS: ProjectSettings = {
  retention: DEFAULT_RETENTION,
  snapshotQuotaFactor: 3,
  takeover: 'automatic',
  onHostLoss: 'keep',
  evictAfterCommitMs: 0,
  maxRestored: 4,
}

export interface HostOptions {
  readonly settings?: Partial<ProjectSettings>
  readonly clock?: Clock
  /** Hosts that share a store are told apart by it. */
  readonly name?: string
}

/** Registered, as live. */
export async function projectHost(
  world: PoolWorld,
  store: Store,
  { settings = {}, clock = systemClock, name = 'a' }: HostOptions = {},
): Promise<ProjectHost> {
  const host = newHostId()
  const session = newSessionId()
  await registerHost(store.catalogue, { host, session, name: `${hostname()}-${name}`, process: null })
  const { guid } = await poolState(world.zfs, poolOf(world.parent))
  return {
    store,
    limiter: fixedLimiter({ count: 8, maxBytes: 64 * 2 ** 20 }),
    clock,
    zfs: world.zfs,
    parent: world.parent,
    poolGuid: guid,
    mountRoot: join(world.mounts, 'real'),
    host,
    session,
    isEnded: () => false,
    deathWatch: new DeathWatch(clock),
    locks: new ProjectLocks(() => clock.monotonicMs()),
    restores: new Restores(() => clock.monotonicMs()),
    untouched: new Untouched(),
    settings: { ...TEST_SETTINGS, ...settings },
    mayAct: () => {},
  }
}
