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
import { Diverged } from './diverged.ts'
import { Drain } from './drain.ts'
import { type Evicted, evict } from './evict.ts'
import type { ActOptions, ProjectHost, ProjectSettings } from './host.ts'
import { openHostRecord } from './host-record.ts'
import { watchHosts } from './host-watch.ts'
import { type KilledAndClosed, type KillOptions, killAndClose } from './kill-and-close.ts'
import { type FoundAccess, type LastAccess, openLastAccess } from './last-access.ts'
import { LeftUnsaved } from './left-unsaved.ts'
import { ProjectLocks } from './locks.ts'
import { Membership, type MembershipOptions } from './membership.ts'
import { type Moved, move } from './move.ts'
import { roleOf } from './names.ts'
import { type Opened, open } from './open.ts'
import { OpenRate } from './open-rate.ts'
import { Pinned } from './pinned.ts'
import { type Placement, place } from './place.ts'
import { lockPool, type PoolLock } from './pool-lock.ts'
import { lastPutAway, type NotSaved, notePutAway, type PutAway, saveAll } from './put-away.ts'
import { refuseStuck } from './quarantine.ts'
import { Quiet } from './quiet.ts'
import { changeQuota } from './quota.ts'
import { type Found, type FoundResident, type Reconciled, reconcile, survey } from './reconcile.ts'
import { DEFAULT_RESIDENCY, type ResidencySettings, type WhyEvicted } from './residency.ts'
import { type RestoredPoint, restorePoint } from './restore-point.ts'
import { removeRestored } from './restored.ts'
import { Restores } from './restores.ts'
import { rollBack } from './roll-back.ts'
import { type Saved, type SaveOptions, save } from './save.ts'
import { SaveQueue, type SaveQueueOptions, type SaveSettings } from './save-queue.ts'
import { Sweeper } from './sweep.ts'
import { TakeOverAsks } from './take-over-asks.ts'
import type { Tell } from './tidings.ts'
import { unmountIdle } from './unmount-idle.ts'
import type { WhichPoint } from './which-point.ts'

/** What may change while it runs. */
export interface EngineSettings {
  readonly settings: ProjectSettings
  readonly residency: ResidencySettings
  readonly saves: SaveSettings
}

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
  /** Called when a project was unmounted, before the act that did it has ended; also where nothing came of it. */
  readonly unmounted?: (id: ProjectId) => Promise<void>
  /** Called when a project was mounted or found so, before the act that did it has ended. */
  readonly mounted?: (id: ProjectId, path: string) => Promise<void>
  /** Called when nobody uses a project here any more: it was evicted or destroyed, and not opened again meanwhile. */
  readonly left?: (id: ProjectId) => void
  /** Hears what has happened. */
  readonly tell?: Tell
  /** Hears of each act on a project when it has ended, well or not. */
  readonly onAct?: OnAct
  /** Called before a project is unmounted: from when it resolves, whoever wants it asks for it. */
  readonly unmounting?: (id: ProjectId) => Promise<void>
  readonly residency?: ResidencySettings
  readonly sweepEveryMs?: number
  readonly saves?: Partial<Pick<SaveQueueOptions, 'intervalMs' | 'atOnce'>>
  /** How long nobody has to use what another host has taken before it is set aside. @default 60 s */
  readonly leaveTakenAfterMs?: number
  readonly clock?: Clock
  readonly random?: () => number
  readonly membership?: Pick<MembershipOptions, 'onChange' | 'heartbeat'>
}

const LEAVE_TAKEN_AFTER_MS = 60_000

type OwnHost = ProjectHost & { settings: ProjectSettings }

export class Engine {
  readonly host: ProjectHost
  readonly #own: OwnHost
  /** What the start found and did. */
  readonly found: Reconciled & { readonly access: FoundAccess }
  readonly saves: SaveQueue
  readonly access: LastAccess
  readonly sweeper: Sweeper
  readonly drain: Drain
  readonly pinned: Pinned
  readonly diverged: Diverged
  readonly asks: TakeOverAsks
  readonly #unsaved: LeftUnsaved
  readonly #stateDirectory: string
  readonly membership: Membership
  readonly #rate = new OpenRate()
  readonly #lock: PoolLock
  readonly #unmounted: (id: ProjectId) => Promise<void>
  readonly #mounted: (id: ProjectId, path: string) => Promise<void>
  readonly #left: (id: ProjectId) => void
  readonly #tell: Tell
  readonly #onAct: OnAct
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>

  private constructor(
    host: OwnHost,
    membership: Membership,
    lock: PoolLock,
    found: Engine['found'],
    saves: SaveQueue,
    access: LastAccess,
    drain: Drain,
    pinned: Pinned,
    unsaved: LeftUnsaved,
    {
      leaveTakenAfterMs = LEAVE_TAKEN_AFTER_MS,
      stateDirectory,
      residency = DEFAULT_RESIDENCY,
      sweepEveryMs,
      unmounted = async () => {},
      mounted = async () => {},
      left = () => {},
      tell = () => {},
      onAct = () => {},
    }: EngineParts,
  ) {
    this.host = host
    this.#own = host
    this.membership = membership
    this.#lock = lock
    this.found = found
    this.saves = saves
    this.access = access
    this.drain = drain
    this.pinned = pinned
    this.#unmounted = unmounted
    this.#mounted = mounted
    this.#left = left
    this.#tell = tell
    this.#onAct = onAct
    this.#unsaved = unsaved
    this.#stateDirectory = stateDirectory
    unsaved.keepOnly(found.residents.map(({ id }) => id))
    for (const { id, mounted, writtenBytes } of found.residents) {
      if (!mounted && !unsaved.mayBe(id, writtenBytes)) continue
      saves.watch(id, { found: true })
      if (mounted) continue
      unsaved.add(id)
      saves.hurry(id)
    }
    access.keepOnly(found.residents.map(({ id }) => id))
    this.asks = new TakeOverAsks(host.clock)
    this.diverged = new Diverged({
      host,
      idleMs: (id) => access.idleMs(id),
      leaveAfterMs: leaveTakenAfterMs,
      found: ({ id, takenBy, point }) =>
        tell({ kind: 'diverged', id, point, takenBy: takenBy?.host ?? null }),
      gone: (id, aside) => {
        saves.forget(id)
        if (aside) tell({ kind: 'set-aside', id, ...aside })
      },
      unmounted,
    })
    this.sweeper = new Sweeper({
      host,
      access,
      settings: residency,
      isPinned: (id) => pinned.has(id),
      evict: (id, stop, why) => this.#evict(id, { signal: stop }, why),
      unmount: (id, idleAfterMs, stop) => this.#unmountIdle(id, idleAfterMs, stop),
      ...(sweepEveryMs !== undefined && { intervalMs: sweepEveryMs }),
    })
    const { signal } = this.#stop
    this.#running = Promise.all([
      saves.run(signal),
      access.run(signal),
      watchHosts(host, signal),
      this.sweeper.run(signal),
      drain.run(
        {
          residents: async () => (await this.residents({ signal })).map(({ id }) => id),
          evict: (id, stop) => this.evict(id, { signal: stop }),
        },
        signal,
      ),
    ])
  }

  /** Resolves once projects can be opened. Rejects with `pool-locked` where another process works with the pool. */
  static async start(parts: EngineParts, signal?: AbortSignal): Promise<Engine> {
    const { zfs, parent, clock = systemClock, random = Math.random } = parts
    const run = signal ? { signal } : {}
    const { guid } = await poolState(zfs, poolOf(parent), run)
    // Before anything is read that the other process may be changing, the host's record above all.
    const lock = await lockPool(guid)
    let membership: Membership | undefined
    let engine: Engine | undefined
    let quiet: Quiet | undefined
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
          onChange: (state) => {
            // While it was thought dead its projects may have been taken, of which no count of what was written tells.
            if (state.kind === 'live') quiet?.forgetAll()
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
        settings: parts.settings,
        refusal: () => drain.refusal,
        unmounting: parts.unmounting,
        mayAct: () => member.mayAct(),
      }
      const found = await reconcile(host, run)
      const lookedAt = new Quiet(host, () => saves.intervalMs)
      quiet = lookedAt
      const unsaved = new LeftUnsaved(await lastPutAway(parts.stateDirectory))
      const saves: SaveQueue = new SaveQueue({
        clock,
        random,
        save: async (id, stop) => {
          const upToMs = await saveUnlessQuiet(host, lookedAt, id, stop, {
            ...parts,
            saved: async (saved) => {
              await engine?.diverged.note(id, saved)
              await engine?.diverged.leave(id, stop)
            },
          })
          // Nobody writes to what is not mounted: once is enough.
          if (unsaved.saved(id)) saves.forget(id)
          return upToMs
        },
        ...parts.saves,
      })
      const last = await openLastAccess(parts.stateDirectory, { clock })
      engine = new Engine(
        host,
        member,
        lock,
        { ...found, access: last.found },
        saves,
        last.access,
        drain,
        pinned,
        unsaved,
        parts,
      )
      return engine
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

  /** Acts that have begun end as they began. */
  reconfigure({ settings, residency, saves }: EngineSettings): void {
    this.#own.settings = settings
    this.sweeper.reconfigure(residency)
    this.saves.reconfigure(saves)
  }

  async create(id: ProjectId, options?: CreateOptions): Promise<Opened> {
    const created = await told(this.#onAct, { what: 'create', id }, () =>
      this.#mounts(
        id,
        this.#brings(() => createProjectHere(this.host, id, options)),
      ),
    )
    this.#tell({ kind: 'created', id })
    return created
  }

  async open(id: ProjectId, options?: ActOptions): Promise<Opened> {
    const { clock } = this.host
    const startedMs = clock.monotonicMs()
    const act = () =>
      told(
        this.#onAct,
        { what: 'open', id },
        (heard) =>
          this.#mounts(id, open(this.host, id, { ...options, onProgress: heard(options?.onProgress) })),
        ({ receivedBytes }) => ({ bytes: receivedBytes }),
      )
    const opened = await this.asks.during(id, act)
    const work = { streams: opened.receivedStreams, bytes: opened.receivedBytes }
    this.#rate.note(work, clock.monotonicMs() - startedMs)
    for (const aside of opened.setAside) this.#tell({ kind: 'set-aside', id, ...aside })
    this.#tell({ kind: 'opened', id, receivedBytes: opened.receivedBytes })
    return opened
  }

  place(id: ProjectId, options?: ActOptions): Promise<Placement> {
    return place(this.host, this.#rate, id, options)
  }

  async rollBack(id: ProjectId, to: Guid, options?: SaveOptions): Promise<Opened> {
    const opened = await told(this.#onAct, { what: 'roll-back', id }, () =>
      this.#mounts(
        id,
        this.#brings(() => rollBack(this.host, id, to, options)),
      ),
    )
    this.#tell({ kind: 'rolled-back', id, point: to })
    return opened
  }

  async save(id: ProjectId, options?: SaveOptions): Promise<Saved> {
    const act = () => save(this.host, id, options)
    const saved = await told(this.#onAct, { what: 'save', id }, act, savedResult)
    tellSaved(this.#tell, id, saved)
    await this.diverged.note(id, saved)
    return saved
  }

  async close(id: ProjectId, options?: SaveOptions): Promise<Closed> {
    const act = () => this.#unmounts(id, close(this.host, id, options))
    const closed = await told(this.#onAct, { what: 'close', id }, act)
    this.#tell({ kind: 'closed', id })
    return closed
  }

  /** Whoever is in it is ended first. */
  killAndClose(id: ProjectId, options?: KillOptions): Promise<KilledAndClosed> {
    return killAndClose(this.host, id, (one, act) => this.close(one, act), options)
  }

  /** Before this host goes down. What is not saved within the limit is in the answer, and told by the next start. */
  async putAway(withinMs: number, signal?: AbortSignal): Promise<PutAway> {
    const result = await saveAll({
      clock: this.host.clock,
      ids: this.saves.ids,
      save: (id, stop) => this.save(id, { signal: stop }),
      withinMs,
      signal,
    })
    await notePutAway(this.#stateDirectory, result)
    return result
  }

  /** What the last `putAway` did not save, and nothing has since. */
  get leftUnsaved(): readonly NotSaved[] {
    return this.#unsaved.named
  }

  async move(id: ProjectId, to: string, options?: SaveOptions): Promise<Moved> {
    const act = () => this.#unmounts(id, move(this.host, id, to, options))
    const moved = await told(this.#onAct, { what: 'move', id }, act)
    this.#tell({ kind: 'moved', id, to: moved.to.name })
    return moved
  }

  evict(id: ProjectId, options?: SaveOptions): Promise<Evicted> {
    return this.#evict(id, options, 'asked')
  }

  async #evict(id: ProjectId, options: SaveOptions | undefined, why: WhyEvicted | 'asked'): Promise<Evicted> {
    const evicted = await told(
      this.#onAct,
      { what: 'evict', id, why },
      () => this.#unmounts(id, evict(this.host, id, options)),
      ({ freedBytes }) => ({ bytes: freedBytes }),
    )
    this.access.forget(id)
    this.#leaves(id)
    this.#tell({ kind: 'evicted', id, freedBytes: evicted.freedBytes, bySweep: why !== 'asked' })
    return evicted
  }

  async destroy(id: ProjectId, options?: SaveOptions): Promise<Project> {
    const act = () => this.#unmounts(id, destroyHere(this.host, id, options))
    const destroyed = await told(this.#onAct, { what: 'destroy', id }, act)
    this.#leaves(id)
    this.#tell({ kind: 'destroyed', id })
    return destroyed
  }

  setQuota(id: ProjectId, quotaBytes: bigint | null, options?: ActOptions): Promise<Project> {
    return changeQuota(this.host, id, quotaBytes, options)
  }

  /** All that there is below the parent at this moment, and whose it is. */
  inPool(options?: ActOptions): Promise<Found> {
    return survey(this.host, options)
  }

  /** As the pool has it at this moment. */
  async residents(options?: ActOptions): Promise<readonly FoundResident[]> {
    return (await survey(this.host, options)).residents
  }

  async restorePoint(id: ProjectId, which: WhichPoint, options?: ActOptions): Promise<RestoredPoint> {
    const restored = await restorePoint(this.host, id, which, options)
    this.#tell({ kind: 'restored', id, point: restored.point })
    return restored
  }

  removeRestored(id: ProjectId, point: Guid, options?: ActOptions): Promise<boolean> {
    return removeRestored(this.host, id, point, options)
  }

  async #unmountIdle(id: ProjectId, idleAfterMs: number, signal: AbortSignal): Promise<boolean> {
    const isGone = await unmountIdle(this.host, id, {
      signal,
      isIdle: () => this.access.idleMs(id) >= idleAfterMs,
      // Before the lock is left: whoever waits for it mounts again.
      closed: () => this.#unmounted(id),
    })
    if (isGone) {
      this.saves.forget(id)
      this.diverged.forget(id)
    }
    return isGone
  }

  /** What is open already stays so, and its opens ask by themselves. */
  async #brings<T>(act: () => Promise<T>): Promise<T> {
    const { refusal } = this.drain
    if (refusal) throw refusal
    return act()
  }

  async #mounts(id: ProjectId, act: Promise<Opened>): Promise<Opened> {
    const done = await act
    this.diverged.forget(id)
    this.#unsaved.mounted(id)
    this.saves.watch(id)
    this.access.used(id)
    await this.#mounted(id, done.path)
    return done
  }

  #leaves(id: ProjectId): void {
    if (!this.saves.state(id)) this.#left(id)
  }

  /** What could not be unmounted is watched on. */
  async #unmounts<T>(id: ProjectId, act: Promise<T>): Promise<T> {
    try {
      const done = await act
      this.diverged.forget(id)
      this.#unsaved.saved(id)
      this.saves.forget(id)
      return done
    } finally {
      // Whoever waits for it mounts it only after this: that takes some commands.
      await this.#unmounted(id)
    }
  }
}

/** What nobody touches costs its part of a listing; resolves with when that was, which may be a while ago. */
async function saveUnlessQuiet(
  host: ProjectHost,
  quiet: Quiet,
  id: ProjectId,
  signal: AbortSignal,
  {
    tell = () => {},
    onAct = () => {},
    saved: then,
  }: Pick<EngineParts, 'tell' | 'onAct'> & { readonly saved: (saved: Saved) => Promise<void> },
): Promise<number | undefined> {
  try {
    const quietUntilMs = await quiet.quietUntilMs(id, { signal })
    if (quietUntilMs !== undefined) return quietUntilMs
    quiet.forget(id)
    const act = () => save(host, id, { signal, quick: true })
    // That there was nothing to save each minute is no news.
    const news = (done: Saved) => (done.kind === 'saved' ? savedResult(done) : undefined)
    const saved = await told(onAct, { what: 'save', id }, act, news)
    // What is not the head is looked at again and again, until it can be set aside.
    if (saved.kind === 'unchanged' && saved.as === 'head') quiet.note(id, saved.footprint)
    tellSaved(tell, id, saved)
    await then(saved)
    return undefined
  } catch (error) {
    // Told to stop is no failure.
    if (!signal.aborted) tell({ kind: 'save-failed', id, error })
    throw error
  }
}

const savedResult = (saved: Saved): ActResult =>
  saved.kind === 'saved' ? { result: saved.placement, bytes: saved.bytes } : { result: 'unchanged' }

/** That there was nothing to save is no news. */
function tellSaved(tell: Tell, id: ProjectId, saved: Saved): void {
  if (saved.kind === 'saved') tell({ kind: 'saved', id, point: saved.point, bytes: saved.bytes })
}

/** By their names alone, in any order. */
export async function* residentIds(zfs: Zfs, parent: DatasetName): AsyncGenerator<ProjectId> {
  for await (const { name } of listDatasets(zfs, parent)) {
    const found = roleOf(name)
    if (found?.role === 'live') yield found.id
  }
}
