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
import { BearerTokens } from './auth/bearer-tokens.ts'
import { type Refused, refusalEntry, writeRefusal } from './auth/caller.ts'
import { Owners } from './auth/owners.ts'
import type { Config } from './config/schema.ts'
import { type Listeners, listen } from './control/listeners.ts'
import { routes } from './control/routes.ts'
import { sweepView } from './control/views.ts'
import { Journal } from './journal.ts'
import { noticesIn } from './notices/directory.ts'
import { Notices } from './notices/notices.ts'
import { Engine } from './projects/engine.ts'
import { mountPointOf } from './projects/mount-point.ts'

export const socketOf = (config: Pick<Config, 'run'>): string => join(config.run, 'tidepool.sock')

/** Where it says to clients of this machine which port it has. */
export const endpointFileOf = (config: Pick<Config, 'run'>): string => join(config.run, 'endpoint.json')

/** Instead of what the configuration names. */
export interface DaemonParts {
  readonly opened?: OpenedStore
  readonly zfs?: Zfs
  /** Hears of every refused request. @default a line on stderr */
  readonly refused?: Refused
}

/** Everybody may speak here, and is answered what an owner may know. */
export const ownersSocketOf = (config: Pick<Config, 'run'>): string => join(config.run, 'owner.sock')

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
  #notices: Promise<void> | undefined
  /** For the API over TCP. */
  readonly tokens: BearerTokens
  #listeners: Listeners | undefined
  readonly journal: Journal

  private constructor(
    config: Config,
    opened: OpenedStore,
    zfs: Zfs,
    engine: Engine,
    layer: AccessLayer,
    journal: Journal,
  ) {
    this.config = config
    this.#opened = opened
    this.zfs = zfs
    this.engine = engine
    this.#layer = layer
    this.journal = journal
    this.opens = openProjects({
      host: engine.host,
      open: (id, options) => journal.touched(id, options?.signal, (running) => engine.open(id, running)),
    })
    this.tokens = new BearerTokens(config.listen.tokens ?? join(config.state, 'tokens.json'))
  }

  /** Resolves once projects can be opened; what fails on the way ends what was begun. */
  static async start(config: Config, signal?: AbortSignal, parts: DaemonParts = {}): Promise<Daemon> {
    const opened = parts.opened ?? (await openStore(config.store, { signal }))
    try {
      const layer = new FuseLayer({ socket: accessSocketOf(config) })
      const owners = await Owners.open(config.run)
      const journal = new Journal(config.audit ?? join(config.state, 'audit.log'))
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
          mounted: (id, path) => owners.mounted(id, path),
          left: (id) => owners.left(id),
          tell: journal.tell,
          membership: { onChange: journal.membership },
          saves: { intervalMs: config.save.interval, atOnce: config.save.atOnce },
        },
        signal,
      )
      const daemon = new Daemon(config, opened, zfs, engine, layer, journal)
      try {
        // Before anything is touched: while its socket is made no directory may be, for their modes would suffer.
        daemon.#listeners = await listen(daemon, {
          sockets: { root: socketOf(config), owners: ownersSocketOf(config) },
          routes,
          ownerTokens: owners.tokens,
          refused: (refusal) => {
            journal.audit.note(refusalEntry(refusal))
            ;(parts.refused ?? writeRefusal)(refusal)
          },
          tcp: {
            listen: config.listen,
            tokens: daemon.tokens,
            endpointFile: endpointFileOf(config),
            say: (line) => void process.stderr.write(`tidepool: ${line}\n`),
          },
        })
        // Once the sockets are ours, the tokens beside them are.
        await owners.start(engine)
        await layer.start(daemon.#callbacks())
        daemon.#notices = daemon.#keepNotices()
        journal.events.tell('daemon-started', null)
        return daemon
      } catch (error) {
        await layer.stop()
        await daemon.#listeners?.close()
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

  /** Reads what proves who may ask, and who it is itself, again: certificate, key and tokens. */
  async reload(): Promise<void> {
    await this.#listeners?.reload()
  }

  /** Where its users find a project. */
  pathOf(id: ProjectId): string {
    return join(this.config.access, id)
  }

  #keepNotices(): Promise<void> {
    const { engine, config } = this
    const notices = new Notices({
      directory: noticesIn(config.mounts),
      clock: engine.host.clock,
      saves: engine.saves,
      mountPointOf: (id) => mountPointOf(engine.host, id),
      isListed: config.browse !== 'none',
    })
    return notices.run(this.#stop.signal)
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
      listens: this.#listeners?.url ?? null,
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
      auditLost: this.journal.audit.lost.count,
    }
  }

  /** Ends all but what users have mounted. */
  async stop(): Promise<void> {
    const reason = new TidepoolError('shutting-down', 'the daemon is stopping', {
      temporary: true,
      hint: 'Ask again when it has started.',
    })
    // Whoever listens hears of it before his connection ends.
    await this.journal.leave()
    this.#stop.abort(reason)
    // First of all: who waits in a path is answered by the next daemon, and not with an error of this one.
    await this.#layer.stop()
    await this.opens.stop()
    const stopping = this.journal.stop(reason)
    await this.#notices
    await this.#listeners?.close()
    await stopping
    await this.engine.stop()
    await this.journal.audit.close()
    await this.#opened.close()
  }
}
