/** The daemon: a store, a pool's engine and the ways in to it, started and stopped as one. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import { Launcher } from '../native/zfs/launcher.ts'
import { datasetName } from '../native/zfs/names.ts'
import { openZfs, type Zfs } from '../native/zfs/zfs.ts'
import { LinkedAbort } from '../pipeline/base/abort.ts'
import { TidepoolError } from '../pipeline/base/errors.ts'
import type { ProjectId } from '../pipeline/base/ids.ts'
import { type OpenedStore, openStore } from '../pipeline/stores/open.ts'
import { FuseLayer } from './access/fuse-layer.ts'
import type { AccessCallbacks, AccessLayer } from './access/layer.ts'
import { listProjects } from './access/list-projects.ts'
import { openProjects } from './access/open-projects.ts'
import type { Opens } from './access/opens.ts'
import { BearerTokens } from './auth/bearer-tokens.ts'
import { type Refused, refusalEntry } from './auth/caller.ts'
import { Owners } from './auth/owners.ts'
import { engineSettings, zfsSettings } from './config/engine-settings.ts'
import { LiveConfig, type Reloaded } from './config/live.ts'
import { openCache } from './config/open-cache.ts'
import type { Config } from './config/schema.ts'
import { accessSocketOf, endpointFileOf, ownersSocketOf, socketOf } from './config/sockets.ts'
import { checkPlaceOf, type Watching, watchFile } from './config/watch.ts'
import { type Listeners, listen } from './control/listeners.ts'
import { type Page, servePage } from './control/page-server.ts'
import { routes } from './control/routes.ts'
import { Journal } from './journal.ts'
import { actLine, commandLine, membershipLine, receivableLine, refusalLine, storeLine } from './log/lines.ts'
import { type Log, silent } from './log/log.ts'
import { SweepLines } from './log/sweep-lines.ts'
import { Metrics } from './metrics/metrics.ts'
import { noticesIn } from './notices/directory.ts'
import { Notices } from './notices/notices.ts'
import { Engine } from './projects/engine.ts'
import { mountPointOf } from './projects/mount-point.ts'
import { applySync } from './projects/sync.ts'
import { claimState } from './state-version.ts'
import { Watch } from './watch/watch.ts'

export { accessSocketOf, endpointFileOf, ownersSocketOf, socketOf }

/** Instead of what the configuration names. */
export interface DaemonParts {
  readonly openStore?: typeof openStore
  readonly zfs?: Zfs
  /** Hears of every refused request, as the log does. */
  readonly refused?: Refused
  /** Where the configuration was read, so that it is read again when it has changed. */
  readonly configFile?: string
  /** For the log. */
  readonly say?: (line: string) => void
  /** No root of links is served: users find projects where they are mounted. */
  readonly withoutRoot?: boolean
  /** @default nowhere */
  readonly log?: Log
}

export class Daemon {
  /** As it is in force. */
  readonly live: LiveConfig
  readonly engine: Engine
  readonly zfs: Zfs
  readonly #opened: OpenedStore
  readonly #stop = new LinkedAbort()
  readonly startedMs = Date.now()
  readonly #layer: AccessLayer
  readonly opens: Opens
  #notices: Promise<void> | undefined
  /** For the API over TCP. */
  readonly tokens: BearerTokens
  #listeners: Listeners | undefined
  #owners: Owners | undefined
  readonly journal: Journal
  #watching: Watching | undefined
  readonly #paths: string
  readonly metrics: Metrics
  readonly watch: Watch
  #page: Page | undefined
  #watched: Promise<void> = Promise.resolve()
  #leaveZfs = (): void => {}

  private constructor(
    config: Config,
    opened: OpenedStore,
    zfs: Zfs,
    engine: Engine,
    layer: AccessLayer,
    journal: Journal,
    watch: Watch,
    metrics: Metrics,
    { configFile, say, withoutRoot = false }: DaemonParts,
  ) {
    this.live = new LiveConfig(config, {
      file: configFile,
      apply: (next) => engine.reconfigure(engineSettings(next)),
      say,
    })
    this.#paths = withoutRoot ? config.mounts : config.access
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
    this.watch = watch
    this.metrics = metrics
  }

  /** Resolves once projects can be opened; what fails on the way ends what was begun. */
  static async start(config: Config, signal?: AbortSignal, parts: DaemonParts = {}): Promise<Daemon> {
    await claimState(config.state)
    const log = parts.log ?? silent
    const metrics = new Metrics()
    // Without it each command would stop the event loop for as long as it takes to copy what maps our memory.
    const launcher = parts.zfs ? undefined : new Launcher()
    let leaveZfs = (): void => launcher?.end()
    const opened = await (parts.openStore ?? openStore)(config.store, {
      signal,
      onAttempt: (attempt) => {
        metrics.storeAttempt(attempt)
        storeLine(log, attempt)
      },
    })
    try {
      const watch = new Watch()
      const layer = new FuseLayer({ socket: accessSocketOf(config) })
      const owners = await Owners.open(config.run)
      const journal = new Journal(config.audit ?? join(config.state, 'audit.log'), { log })
      const streamCache = await openCache(config, parts.say)
      const zfs = parts.zfs ?? (await openZfs(zfsSettings(config), { signal, launcher }))
      const stopLooking = zfs.commands.lookOn((ended) => commandLine(log, ended))
      leaveZfs = () => {
        stopLooking()
        launcher?.end()
      }
      const engine = await Engine.start(
        {
          store: opened.store,
          limiter: opened.limiter,
          streamCache,
          zfs,
          parent: datasetName(config.dataset),
          mountRoot: config.mounts,
          stateDirectory: config.state,
          name: config.name ?? hostname(),
          ...engineSettings(config),
          unmounted: (id) => layer.forget(id),
          mounted: (id, path) => {
            layer.mounted(id)
            return owners.mounted(id, path)
          },
          left: (id, how) => owners.left(id, how),
          onAct: (act) => {
            journal.act(act)
            watch.note(act)
            metrics.act(act)
            actLine(log, act)
          },
          membership: {
            onChange: (state) => {
              journal.membership(state)
              membershipLine(log, state)
            },
          },
          unmounting: (id) => layer.hold(id),
          onTidings: journal.tidings,
          onReceivable: (lacks) => receivableLine(log, lacks),
          onSweep: new SweepLines(log),
        },
        signal,
      )
      // Only now, for now the pool is locked, and another daemon's is never changed.
      await applySync(engine.host, config.zfs.sync, log, { signal }).catch(async (error: unknown) => {
        await engine.stop()
        throw error
      })
      const daemon = new Daemon(config, opened, zfs, engine, layer, journal, watch, metrics, parts)
      daemon.#leaveZfs = leaveZfs
      try {
        // Before anything is touched: while its socket is made no directory may be, for their modes would suffer.
        const refused: Refused = (refusal) => {
          journal.audit.note(refusalEntry(refusal))
          refusalLine(log, refusal)
          parts.refused?.(refusal)
        }
        daemon.#listeners = await listen(daemon, {
          sockets: { root: socketOf(config), owners: ownersSocketOf(config) },
          routes,
          ownerTokens: owners.tokens,
          refused,
          log,
          tcp: {
            listen: config.listen,
            tokens: daemon.tokens,
            endpointFile: endpointFileOf(config),
            say: parts.say ?? ((line) => void process.stderr.write(`tidepool: ${line}\n`)),
          },
        })
        // Once the sockets are ours, the tokens beside them are.
        daemon.#owners = owners
        await owners.start(engine)
        await layer.start(daemon.#callbacks())
        daemon.#page = await servePage(daemon, routes, refused, log)
        await daemon.#watchConfig()
        // From here on nothing can fail that would leave it running.
        daemon.#notices = daemon.#keepNotices()
        journal.events.tell('daemon-started', null)
        daemon.#watched = watch.run(engine, daemon.signal)
        metrics.run(daemon.signal)
        log.info({ event: 'started', host: engine.host.host, dataset: config.dataset }, 'serves projects')
        return daemon
      } catch (error) {
        await layer.stop()
        await daemon.#page?.close()
        await daemon.#listeners?.close()
        await owners.close()
        await engine.stop()
        throw error
      }
    } catch (error) {
      leaveZfs()
      await opened.close()
      throw error
    }
  }

  get config(): Config {
    return this.live.inForce
  }

  /** Fires when it begins to stop. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Reads again what proves who may ask and who it is itself (certificate, key, tokens), and its configuration. */
  async reload(): Promise<Reloaded> {
    await this.#listeners?.reload()
    return this.live.reload()
  }

  /** Of the API over TCP; undefined while it is not there. */
  get url(): string | undefined {
    return this.#listeners?.url
  }

  /** Where the status page is, with the secret that opens it. */
  get pageLink(): string | undefined {
    return this.#page?.link
  }

  /** Where its users find a project. */
  pathOf(id: ProjectId): string {
    return join(this.#paths, id)
  }

  #keepNotices(): Promise<void> {
    const { engine, config } = this
    const notices = new Notices({
      directory: noticesIn(config.mounts),
      clock: engine.host.clock,
      saves: engine.saves,
      diverged: () => engine.diverged.all,
      readOnly: () => engine.readOnly.all,
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
      figures: (figures) => this.metrics.access(figures),
    }
  }

  async #watchConfig(): Promise<void> {
    const { file } = this.live
    if (file === undefined) return
    try {
      await checkPlaceOf(file, this.config)
    } catch (error) {
      return this.live.unwatched(error)
    }
    const again = (): void => void this.live.reload().catch(() => {}) // it says so itself
    this.#watching = await watchFile(file, again, (error) => this.live.unwatched(error))
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
    await this.#watching?.close()
    // First of all: who waits in a path is answered by the next daemon, and not with an error of this one.
    await this.#layer.stop()
    await this.opens.stop()
    const stopping = this.journal.stop(reason)
    await this.#notices
    await this.#page?.close()
    await this.#listeners?.close()
    await this.#owners?.close()
    await this.#watched
    await stopping
    await this.engine.stop()
    this.#leaveZfs()
    await this.journal.audit.close()
    await this.#opened.close()
  }
}
