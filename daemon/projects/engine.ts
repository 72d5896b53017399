/**
 * The engine of one pool in front of one store: started, it alone works with the pool, is a member of the store, and has
 * put in order what an earlier start left. Every act on a project goes through it, so that what is mounted is saved again and
 * again.
 */
import { listDatasets } from '../../native/zfs/list.ts'
import { type DatasetName, poolOf } from '../../native/zfs/names.ts'
import { poolState } from '../../native/zfs/pool.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { type Clock, systemClock } from '../../pipeline/base/clock.ts'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { DeathWatch } from '../../pipeline/hosts/take.ts'
import type { Limiter } from '../../pipeline/limit/limiter.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import type { StreamCache } from '../../pipeline/stores/stream-cache/index.ts'
import { type ActResult, type OnAct, told } from './acts.ts'
import { type Closed, close } from './close.ts'
import { type CreateOptions, createProjectHere } from './create.ts'
import { destroyHere } from './destroy.ts'
import { type Evicted, evict } from './evict.ts'
import type { ActOptions, ProjectHost, ProjectSettings } from './host.ts'
import { openHostRecord } from './host-record.ts'
import { type FoundAccess, type LastAccess, openLastAccess } from './last-access.ts'
import { ProjectLocks } from './locks.ts'
import { Membership, type MembershipOptions } from './membership.ts'
import { type Moved, move } from './move.ts'
import { roleOf } from './names.ts'
import { type Opened, open } from './open.ts'
import { lockPool, type PoolLock } from './pool-lock.ts'
import { Quiet } from './quiet.ts'
import { changeQuota } from './quota.ts'
import { type FoundResident, type Reconciled, reconcile, survey } from './reconcile.ts'
import { DEFAULT_RESIDENCY, type ResidencySettings } from './residency.ts'
import { type RestoredPoint, restorePoint } from './restore-point.ts'
import { removeRestored } from './restored.ts'
import { Restores } from './restores.ts'
import { rollBack } from './roll-back.ts'
import { type Saved, type SaveOptions, save } from './save.ts'
import { SaveQueue, type SaveQueueOptions } from './save-queue.ts'
import { Sweeper } from './sweep.ts'
import type { WhichPoint } from './which-point.ts'

export interface EngineParts {
  readonly store: Store
  readonly limiter: Limiter
  /** In front of the store, for what is opened or restored. */
  readonly streamCache?: StreamCache | undefined
  readonly zfs: Zfs
  /** The dataset below which projects live. */
  readonly parent: DatasetName
  readonly mountRoot: string
  /** Where this host remembers who it is, and when which project was used. */
  readonly stateDirectory: string
  /** Of this host, for people. */
  readonly name: string
  readonly settings: ProjectSettings
  /** Called when a project was unmounted, before the act that did it has ended. */
  readonly unmounted?: (id: ProjectId) => Promise<void>
  /** Hears of each act on a project when it has ended. */
  readonly onAct?: OnAct
  readonly residency?: ResidencySettings
  readonly sweepEveryMs?: number
  readonly saves?: Partial<Pick<SaveQueueOptions, 'intervalMs' | 'atOnce'>>
  readonly clock?: Clock
  readonly random?: () => number
  readonly membership?: Pick<MembershipOptions, 'onChange' | 'heartbeat'>
}

export class Engine {
  readonly host: ProjectHost
  /** What the start found and did. */
  readonly found: Reconciled & { readonly access: FoundAccess }
  readonly saves: SaveQueue
  readonly access: LastAccess
  readonly sweeper: Sweeper
  readonly membership: Membership
  readonly #lock: PoolLock
  readonly #onAct: OnAct
  readonly #unmounted: (id: ProjectId) => Promise<void>
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>

  private constructor(
    host: ProjectHost,
    membership: Membership,
    lock: PoolLock,
    found: Engine['found'],
    saves: SaveQueue,
    access: LastAccess,
    {
      residency = DEFAULT_RESIDENCY,
      sweepEveryMs,
      unmounted = async () => {},
      onAct = () => {},
    }: EngineParts,
  ) {
    this.host = host
    this.membership = membership
    this.#lock = lock
    this.found = found
    this.saves = saves
    this.access = access
    this.#unmounted = unmounted
    this.#onAct = onAct
    for (const { id, mounted } of found.residents) if (mounted) saves.watch(id)
    access.keepOnly(found.residents.map(({ id }) => id))
    this.sweeper = new Sweeper({
      host,
      access,
      settings: residency,
      evict: (id, stop, why) => this.#evict(id, { signal: stop }, why),
      ...(sweepEveryMs !== undefined && { intervalMs: sweepEveryMs }),
    })
    const { signal } = this.#stop
    this.#running = Promise.all([saves.run(signal), access.run(signal), this.sweeper.run(signal)])
  }

  /** Resolves once projects can be opened. Rejects with `pool-locked` where another process works with the pool. */
  static async start(parts: EngineParts, signal?: AbortSignal): Promise<Engine> {
    const { zfs, parent, clock = systemClock, random = Math.random } = parts
    const run = signal ? { signal } : {}
    const { guid } = await poolState(zfs, poolOf(parent), run)
    // Before anything is read that the other process may be changing, the host's record above all.
    const lock = await lockPool(guid)
    let membership: Membership | undefined
    try {
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
        },
        signal,
      )
      const member = membership
      const host: ProjectHost = {
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
        locks: new ProjectLocks(() => clock.monotonicMs()),
        restores: new Restores(() => clock.monotonicMs()),
        settings: parts.settings,
        mayAct: () => member.mayAct(),
      }
      const found = await reconcile(host, run)
      const quiet = new Quiet(host)
      const saves = new SaveQueue({
        clock,
        random,
        save: (id, stop) => saveUnlessQuiet(host, quiet, id, stop, parts.onAct),
        ...parts.saves,
      })
      const last = await openLastAccess(parts.stateDirectory, { clock })
      return new Engine(host, member, lock, { ...found, access: last.found }, saves, last.access, parts)
    } catch (error) {
      await membership?.leave({ forGood: false })
      await lock.release()
      throw error
    }
  }

  /** What is mounted stays so. Resolves once nothing of ours runs any more. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the engine stops'))
    await this.#running
    await this.membership.leave({ forGood: false })
    await this.#lock.release()
  }

  create(id: ProjectId, options?: CreateOptions): Promise<Opened> {
    const act = () => this.#mounts(id, createProjectHere(this.host, id, options))
    return told(this.#onAct, { what: 'create', id }, act)
  }

  open(id: ProjectId, options?: ActOptions): Promise<Opened> {
    return told(
      this.#onAct,
      { what: 'open', id },
      ({ enter }) => this.#mounts(id, open(this.host, id, { ...options, onPhase: enter })),
      ({ receivedBytes }) => ({ bytes: receivedBytes }),
    )
  }

  rollBack(id: ProjectId, to: Guid, options?: SaveOptions): Promise<Opened> {
    const act = () => this.#mounts(id, rollBack(this.host, id, to, options))
    return told(this.#onAct, { what: 'roll-back', id }, act)
  }

  save(id: ProjectId, options?: SaveOptions): Promise<Saved> {
    return told(this.#onAct, { what: 'save', id }, () => save(this.host, id, options), savedResult)
  }

  close(id: ProjectId, options?: SaveOptions): Promise<Closed> {
    const act = () => this.#unmounts(id, close(this.host, id, options))
    return told(this.#onAct, { what: 'close', id }, act)
  }

  move(id: ProjectId, to: string, options?: SaveOptions): Promise<Moved> {
    const act = () => this.#unmounts(id, move(this.host, id, to, options))
    return told(this.#onAct, { what: 'move', id }, act)
  }

  evict(id: ProjectId, options?: SaveOptions): Promise<Evicted> {
    return this.#evict(id, options, 'asked')
  }

  destroy(id: ProjectId, options?: SaveOptions): Promise<Project> {
    const act = () => this.#unmounts(id, destroyHere(this.host, id, options))
    return told(this.#onAct, { what: 'destroy', id }, act)
  }

  setQuota(id: ProjectId, quotaBytes: bigint | null, options?: ActOptions): Promise<Project> {
    return changeQuota(this.host, id, quotaBytes, options)
  }

  /** As the pool has it at this moment. */
  async residents(options?: ActOptions): Promise<readonly FoundResident[]> {
    return (await survey(this.host, options)).residents
  }

  restorePoint(id: ProjectId, which: WhichPoint, options?: ActOptions): Promise<RestoredPoint> {
    return restorePoint(this.host, id, which, options)
  }

  removeRestored(id: ProjectId, point: Guid, options?: ActOptions): Promise<boolean> {
    return removeRestored(this.host, id, point, options)
  }

  async #evict(id: ProjectId, options: SaveOptions | undefined, why: string): Promise<Evicted> {
    const evicted = await told(
      this.#onAct,
      { what: 'evict', id, why },
      () => this.#unmounts(id, evict(this.host, id, options)),
      ({ freedBytes }) => ({ bytes: freedBytes }),
    )
    this.access.forget(id)
    return evicted
  }

  async #mounts<T>(id: ProjectId, act: Promise<T>): Promise<T> {
    const done = await act
    this.saves.watch(id)
    this.access.used(id)
    return done
  }

  /** What could not be unmounted is watched on. */
  async #unmounts<T>(id: ProjectId, act: Promise<T>): Promise<T> {
    const done = await act
    this.saves.forget(id)
    await this.#unmounted(id)
    return done
  }
}

const savedResult = (saved: Saved): ActResult =>
  saved.kind === 'saved' ? { result: saved.placement, bytes: saved.bytes } : { result: 'unchanged' }

/** What nobody touches costs its part of one listing. */
async function saveUnlessQuiet(
  host: ProjectHost,
  quiet: Quiet,
  id: ProjectId,
  signal: AbortSignal,
  onAct: OnAct = () => {},
): Promise<void> {
  if (await quiet.isQuiet(id, { signal })) return
  quiet.forget(id)
  const act = () => save(host, id, { signal, quick: true })
  // That there was nothing to save each minute is no news.
  const news = (done: Saved) => (done.kind === 'saved' ? savedResult(done) : undefined)
  const saved = await told(onAct, { what: 'save', id }, act, news)
  if (saved.kind === 'unchanged') quiet.note(id, saved.footprint)
}

/** By their names alone, in any order. */
export async function* residentIds(zfs: Zfs, parent: DatasetName): AsyncGenerator<ProjectId> {
  for await (const { name } of listDatasets(zfs, parent)) {
    const found = roleOf(name)
    if (found?.role === 'live') yield found.id
  }
}
