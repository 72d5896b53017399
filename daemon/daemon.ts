/** The daemon: a store, a pool's engine and the ways in to it, started and stopped as one. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import { datasetName, poolOf } from '../native/zfs/names.ts'
import { poolState } from '../native/zfs/pool.ts'
import { openZfs, type Zfs } from '../native/zfs/zfs.ts'
import { messageOf, TidepoolError } from '../pipeline/base/errors.ts'
import type { ProjectId } from '../pipeline/base/ids.ts'
import { type OpenedStore, openStore } from '../pipeline/stores/open.ts'
import { FuseLayer } from './access/fuse-layer.ts'
import type { AccessCallbacks, AccessLayer } from './access/layer.ts'
import { listProjects } from './access/list-projects.ts'
import { openProjects } from './access/open-projects.ts'
import type { Opens } from './access/opens.ts'
import type { Config } from './config/schema.ts'
import { type Page, servePage } from './control/page-server.ts'
import { routes } from './control/routes.ts'
import { type Served, serve } from './control/server.ts'
import { sweepView } from './control/views.ts'
import { actLine, membershipLine } from './log/lines.ts'
import { type Log, silent } from './log/log.ts'
import { Metrics } from './metrics/metrics.ts'
import { Engine } from './projects/engine.ts'
import { Watch } from './watch/watch.ts'

export const socketOf = (config: Pick<Config, 'run'>): string => join(config.run, 'tidepool.sock')

/** Instead of what the configuration names. */
export interface DaemonParts {
  readonly opened?: OpenedStore
  readonly zfs?: Zfs
  /** @default nowhere */
  readonly log?: Log
}

/** Alone in a directory that only root may enter. */
export const accessSocketOf = (config: Pick<Config, 'run'>): string =>
  join(config.run, 'access', 'access.sock')

export class Daemon {
  readonly config: Config
  readonly engine: Engine
  readonly zfs: Zfs
  readonly #opened: OpenedStore
  readonly #stop = new AbortController()
  readonly #startedMs = Date.now()
  readonly #layer: AccessLayer
  readonly opens: Opens
  readonly metrics: Metrics
  readonly watch: Watch
  #served: Served | undefined
  #page: Page | undefined
  #watching: Promise<void> = Promise.resolve()

  private constructor(
    config: Config,
    opened: OpenedStore,
    zfs: Zfs,
    engine: Engine,
    layer: AccessLayer,
    watch: Watch,
  ) {
    this.config = config
    this.#opened = opened
    this.zfs = zfs
    this.engine = engine
    this.#layer = layer
    this.opens = openProjects(engine)
    this.watch = watch
    this.metrics = new Metrics(this)
  }

  /** Resolves once projects can be opened; what fails on the way ends what was begun. */
  static async start(config: Config, signal?: AbortSignal, parts: DaemonParts = {}): Promise<Daemon> {
    const opened = parts.opened ?? (await openStore(config.store, { signal }))
    try {
      const log = parts.log ?? silent
      const watch = new Watch()
      let daemon: Daemon | undefined
      const layer = new FuseLayer({ socket: accessSocketOf(config) })
      const zfs = parts.zfs ?? (await openZfs({}, signal ? { signal } : {}))
      const engine = await Engine.start(
        {
          store: opened.store,
          limiter: opened.limiter,
          zfs,
          parent: datasetName(config.dataset),
          mountRoot: config.mounts,
          stateDirectory: config.state,
          name: config.name ?? hostname(),
          settings: {
            retention: config.keep,
            snapshotQuotaFactor: config.save.snapshotQuotaFactor,
            takeover: config.takeover,
            evictAfterCommitMs: config.evict.afterCommit,
          },
          residency: {
            highWatermark: config.evict.highWatermark,
            lowWatermark: config.evict.lowWatermark,
            idleGraceMs: config.evict.grace,
            ...(config.evict.maxResident !== undefined && { maxResident: config.evict.maxResident }),
            ...(config.evict.idleAfter !== undefined && { evictIdleAfterMs: config.evict.idleAfter }),
          },
          unmounted: (id) => layer.forget(id),
          onAct: (act) => {
            watch.note(act)
            daemon?.metrics.note(act)
            actLine(log, act)
          },
          membership: { onChange: (state) => membershipLine(log, state) },
          saves: { intervalMs: config.save.interval, atOnce: config.save.atOnce },
        },
        signal,
      )
      daemon = new Daemon(config, opened, zfs, engine, layer, watch)
      try {
        // Before anything is touched: while its socket is made no directory may be, for their modes would suffer.
        daemon.#served = await serve(daemon, { socket: socketOf(config), routes })
        await layer.start(daemon.#callbacks())
        daemon.#page = await servePage(daemon, routes)
        daemon.#watching = watch.run(engine, daemon.signal)
        log.info({ event: 'started', host: engine.host.host, dataset: config.dataset }, 'serves projects')
        return daemon
      } catch (error) {
        await layer.stop()
        await daemon.#page?.close()
        await daemon.#served?.close()
        await engine.stop()
        throw error
      }
    } catch (error) {
      await opened.close()
      throw error
    }
  }

  /** Fires when it begins to stop. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Where the status page is, with the secret that opens it. */
  get pageLink(): string | undefined {
    return this.#page?.link
  }

  /** Where its users find a project. */
  pathOf(id: ProjectId): string {
    return join(this.config.access, id)
  }

  #callbacks(): AccessCallbacks {
    const { engine, opens } = this
    return {
      open: (id, signal) => opens.open(id, { signal }),
      listed: (what) => listProjects(engine, what),
      used: (ids) => {
        for (const id of ids) engine.access.used(id)
      },
    }
  }

  async status() {
    const { engine, config } = this
    const residents = await engine.residents()
    const { error } = engine.membership.state.kind === 'live' ? { error: undefined } : engine.membership.state
    return {
      host: engine.host.host,
      name: config.name ?? hostname(),
      upMs: Date.now() - this.#startedMs,
      mayAct: engine.membership.state.kind === 'live',
      why: error instanceof Error ? error.message : null,
      store: config.store.replace(/\/\/[^@/]*@/, '//'),
      dataset: config.dataset,
      zfs: this.zfs.capabilities.version ?? this.zfs.capabilities.flavour,
      pool: await poolState(this.zfs, poolOf(engine.host.parent)),
      resident: residents.length,
      mounted: residents.filter(({ mounted }) => mounted).length,
      longestUnsavedMs: Math.round(engine.saves.longestUnsavedMs),
      open: engine.saves.size,
      failingSaves: engine.saves.failing.map(({ id, error }) => ({
        id,
        why: messageOf(error),
      })),
      busy: engine.host.locks.busy,
      sweep: sweepView(engine.sweeper),
    }
  }

  /** Ends all but what users have mounted. */
  async stop(): Promise<void> {
    this.#stop.abort(
      new TidepoolError('shutting-down', 'the daemon is stopping', {
        temporary: true,
        hint: 'Ask again when it has started.',
      }),
    )
    await this.#layer.stop()
    await this.opens.stop()
    await this.#page?.close()
    await this.#served?.close()
    await this.#watching
    await this.engine.stop()
    await this.#opened.close()
  }
}
