/**
 * The engine of one pool in front of one store: started, it alone works with the pool, is a member of the store, and has
 * put in order what an earlier start left. Every act on a project goes through it, so that what is mounted is saved again and
 * again.
 */
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { type OnAct, told } from './acts.ts'
import { type Assembled, assemble, type OwnHost } from './assemble.ts'
import { changeProperties, type PropertyChanges } from './change-properties.ts'
import { changeQuota } from './change-quota.ts'
import { type Closed, close } from './close.ts'
import { Comings } from './comings.ts'
import { type CreateOptions, createProjectHere } from './create.ts'
import { destroyHere } from './destroy.ts'
import type { Diverged } from './diverged.ts'
import type { Drain } from './drain.ts'
import type { EngineParts, EngineSettings } from './engine-parts.ts'
import { type Evicted, evict } from './evict.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { watchHosts } from './host-watch.ts'
import { type KilledAndClosed, type KillOptions, killAndClose } from './kill-and-close.ts'
import type { LastAccess } from './last-access.ts'
import type { LeftUnsaved } from './left-unsaved.ts'
import type { Membership } from './membership.ts'
import { type Moved, move } from './move.ts'
import { type Opened, open } from './open.ts'
import { OpenRate } from './open-rate.ts'
import type { Pinned } from './pinned.ts'
import { type Placement, place } from './place.ts'
import type { PoolLock } from './pool-lock.ts'
import type { OnProgress } from './progress.ts'
import { type NotSaved, notePutAway, type PutAway, saveAll } from './put-away.ts'
import type { ReadOnlyWhileLost } from './read-only.ts'
import { Receivable } from './receivable.ts'
import { type Found, type FoundResident, survey } from './reconcile.ts'
import { DEFAULT_RESIDENCY, type WhyEvicted } from './residency.ts'
import { type RestoredPoint, restorePoint } from './restore-point.ts'
import { removeRestored } from './restored.ts'
import { rollBack } from './roll-back.ts'
import { type Saved, type SaveOptions, save } from './save.ts'
import type { SaveQueue } from './save-queue.ts'
import { savedResult } from './save-unless-quiet.ts'
import { type SnapshotOptions, snapshotProject } from './snapshot.ts'
import { Sweeper } from './sweep.ts'
import { TakeOverAsks } from './take-over-asks.ts'
import type { OnTidings } from './tidings.ts'
import { unmountIdle } from './unmount-idle.ts'
import type { WhichPoint } from './which-point.ts'

export class Engine {
  readonly host: ProjectHost
  readonly #own: OwnHost
  /** What the start found and did. */
  readonly found: Assembled['found']
  readonly saves: SaveQueue
  readonly access: LastAccess
  readonly sweeper: Sweeper
  readonly drain: Drain
  readonly pinned: Pinned
  readonly diverged: Diverged
  readonly asks: TakeOverAsks
  readonly receivable: Receivable
  readonly readOnly: ReadOnlyWhileLost
  readonly #unsaved: LeftUnsaved
  readonly #stateDirectory: string
  readonly membership: Membership
  readonly #rate = new OpenRate()
  readonly #lock: PoolLock
  readonly #comings: Comings
  readonly #onAct: OnAct
  readonly #onTidings: OnTidings
  readonly #stop = new LinkedAbort()
  readonly #running: Promise<unknown>

  private constructor(assembled: Assembled, parts: EngineParts) {
    const { host, membership, lock, found, saves, access, drain, pinned, unsaved, diverged, readOnly } =
      assembled
    this.host = host
    this.#own = host
    this.membership = membership
    this.#lock = lock
    this.found = found
    this.saves = saves
    this.access = access
    this.drain = drain
    this.pinned = pinned
    this.diverged = diverged
    this.readOnly = readOnly
    this.asks = new TakeOverAsks(host.clock)
    this.receivable = new Receivable(host, parts.onReceivable)
    this.#unsaved = unsaved
    this.#stateDirectory = parts.stateDirectory
    this.#comings = new Comings(assembled, parts)
    this.#onAct = parts.onAct ?? (() => {})
    this.#onTidings = parts.onTidings ?? (() => {})
    this.#watchFound()
    this.sweeper = new Sweeper({
      host,
      access,
      settings: parts.residency ?? DEFAULT_RESIDENCY,
      isPinned: (id) => pinned.has(id),
      onSweep: parts.onSweep,
      evict: (id, stop, why) => this.#evict(id, { signal: stop }, why),
      unmount: (id, idleAfterMs, stop) => this.#unmountIdle(id, idleAfterMs, stop),
      ...(parts.sweepEveryMs !== undefined && { intervalMs: parts.sweepEveryMs }),
    })
    const { signal } = this.#stop
    this.#running = Promise.all([
      saves.run(signal),
      access.run(signal),
      watchHosts(host, signal),
      this.receivable.run(signal),
      readOnly.run(signal),
      this.sweeper.run(signal),
      drain.run(
        {
          residents: async () => (await this.residents({ signal })).map(({ id }) => id),
          evict: (id, stop) => this.#evict(id, { signal: stop }, 'drain'),
        },
        signal,
      ),
    ])
  }

  /** Resolves once projects can be opened. Rejects with `pool-locked` where another process works with the pool. */
  static async start(parts: EngineParts, signal?: AbortSignal): Promise<Engine> {
    return new Engine(await assemble(parts, signal), parts)
  }

  /** What is mounted is saved again and again; what is not, and may hold something that the store has not, once. */
  #watchFound(): void {
    const { residents } = this.found
    this.#unsaved.keepOnly(residents.map(({ id }) => id))
    for (const { id, mounted, writtenBytes } of residents) {
      if (!mounted && !this.#unsaved.mayBe(id, writtenBytes)) continue
      this.saves.watch(id, { found: true })
      if (mounted) continue
      this.#unsaved.add(id)
      this.saves.hurry(id)
    }
    this.access.keepOnly(residents.map(({ id }) => id))
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
    this.readOnly.changed()
  }

  create(id: ProjectId, options?: CreateOptions): Promise<Opened> {
    return told(this.#onAct, { what: 'create', id }, () =>
      this.#comings.brings(id, () => createProjectHere(this.host, id, options)),
    )
  }

  async open(id: ProjectId, options?: ActOptions): Promise<Opened> {
    const { clock } = this.host
    const startedMs = clock.monotonicMs()
    const act = (heard: (onProgress: OnProgress | undefined) => OnProgress) =>
      this.#comings.mounts(id, open(this.host, id, { ...options, onProgress: heard(options?.onProgress) }))
    const result = ({ receivedBytes }: Opened) => ({ bytes: receivedBytes })
    const opened = await this.asks.during(id, () => told(this.#onAct, { what: 'open', id }, act, { result }))
    for (const aside of opened.setAside) this.#onTidings({ kind: 'set-aside', id, ...aside })
    const work = { streams: opened.receivedStreams, bytes: opened.receivedBytes }
    this.#rate.note(work, clock.monotonicMs() - startedMs)
    return opened
  }

  place(id: ProjectId, options?: ActOptions): Promise<Placement> {
    return place(this.host, this.#rate, id, options)
  }

  rollBack(id: ProjectId, to: Guid, options?: SaveOptions): Promise<Opened> {
    const act = () => this.#comings.brings(id, () => rollBack(this.host, id, to, options))
    return told(this.#onAct, { what: 'roll-back', id }, act, { result: () => ({ point: to }) })
  }

  async save(id: ProjectId, options?: SaveOptions): Promise<Saved> {
    const begunMs = this.host.clock.monotonicMs()
    const act = () => save(this.host, id, options)
    const saved = await told(this.#onAct, { what: 'save', id }, act, { result: savedResult })
    this.saves.saved(id, begunMs)
    await this.diverged.note(id, saved)
    return saved
  }

  async snapshot(id: ProjectId, options?: SnapshotOptions): Promise<Guid> {
    const point = await snapshotProject(this.host, id, options)
    if (options?.local) this.saves.snapshot(id)
    return point
  }

  close(id: ProjectId, options?: SaveOptions): Promise<Closed> {
    const act = () => this.#comings.unmounts(id, close(this.host, id, options))
    return told(this.#onAct, { what: 'close', id }, act)
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

  move(id: ProjectId, to: string, options?: SaveOptions): Promise<Moved> {
    const act = () => this.#comings.unmounts(id, move(this.host, id, to, options))
    return told(this.#onAct, { what: 'move', id }, act, { result: (moved) => ({ to: moved.to.name }) })
  }

  evict(id: ProjectId, options?: SaveOptions): Promise<Evicted> {
    return this.#evict(id, options, 'asked')
  }

  #evict(
    id: ProjectId,
    options: SaveOptions | undefined,
    why: WhyEvicted | 'drain' | 'asked',
  ): Promise<Evicted> {
    const act = async () => {
      const evicted = await this.#comings.unmounts(id, evict(this.host, id, options))
      this.access.forget(id)
      this.#comings.leaves(id, 'evicted')
      return evicted
    }
    return told(this.#onAct, { what: 'evict', id, why, byItself: why !== 'asked' }, act, {
      result: ({ freedBytes }) => ({ bytes: freedBytes }),
    })
  }

  destroy(id: ProjectId, options?: SaveOptions): Promise<Project> {
    const act = async () => {
      const destroyed = await this.#comings.unmounts(id, destroyHere(this.host, id, options))
      this.#comings.leaves(id, 'destroyed')
      return destroyed
    }
    return told(this.#onAct, { what: 'destroy', id }, act)
  }

  setQuota(id: ProjectId, quotaBytes: bigint | null, options?: ActOptions): Promise<Project> {
    return changeQuota(this.host, id, quotaBytes, options)
  }

  setProperties(id: ProjectId, changes: PropertyChanges, options?: ActOptions): Promise<Project> {
    return changeProperties(this.host, id, changes, options)
  }

  /** All that there is below the parent at this moment, and whose it is. */
  inPool(options?: ActOptions): Promise<Found> {
    return survey(this.host, options)
  }

  /** As the pool has it at this moment. */
  async residents(options?: ActOptions): Promise<readonly FoundResident[]> {
    return (await survey(this.host, options)).residents
  }

  restorePoint(id: ProjectId, which: WhichPoint, options?: ActOptions): Promise<RestoredPoint> {
    const act = () => restorePoint(this.host, id, which, options)
    return told(this.#onAct, { what: 'restore', id }, act, { result: ({ point }) => ({ point }) })
  }

  removeRestored(id: ProjectId, point: Guid, options?: ActOptions): Promise<boolean> {
    return removeRestored(this.host, id, point, options)
  }

  async #unmountIdle(id: ProjectId, idleAfterMs: number, signal: AbortSignal): Promise<boolean> {
    const isGone = await unmountIdle(this.host, id, {
      signal,
      isIdle: () => this.access.idleMs(id) >= idleAfterMs,
      // Before the lock is left: whoever waits for it mounts again.
      closed: () => this.#comings.unmounted(id),
    })
    if (isGone) {
      this.saves.forget(id)
      this.diverged.forget(id)
    }
    return isGone
  }
}
