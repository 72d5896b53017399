/** What Prometheus reads of a daemon. No label ever names a project: there are as many series as are listed here. */
import { statfs } from 'node:fs/promises'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { version } from '../cli/package.ts'
import type { Daemon } from '../daemon.ts'
import type { Act } from '../projects/acts.ts'
import { lookView } from '../watch/view.ts'

const SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600]

export class Metrics {
  readonly #registry = new Registry()
  readonly #daemon: Daemon
  readonly #acts = this.#counter('acts_total', 'Acts on projects that have ended', ['act', 'result'])
  readonly #seconds = this.#histogram('act_seconds', 'How long acts on projects took', ['act'])
  readonly #phases = this.#histogram('open_phase_seconds', 'Where the time of opens went', ['phase'])
  readonly #savedBytes = this.#counter('saved_bytes_total', 'Bytes of streams that saves have stored')
  readonly #receivedBytes = this.#counter('received_bytes_total', 'Bytes of streams that opens have received')
  readonly #evictions = this.#counter('evictions_total', 'Projects that left the pool', ['reason'])
  readonly #projects = this.#gauge('projects', 'Projects in the pool', ['state'])
  readonly #unsaved = this.#gauge('unsaved_projects', 'Projects known to hold what the store has not')
  readonly #unsavedBytes = this.#gauge('unsaved_bytes', 'Bytes not saved yet; absent where ZFS counts none')
  readonly #unsavedAge = this.#gauge('unsaved_age_seconds', 'How far back the least saved project goes')
  readonly #limiter = this.#gauge('limiter_pieces', 'Work on the store', ['state'])
  readonly #limit = this.#gauge('limiter_limit_pieces', 'Pieces of work on the store allowed at a time')
  readonly #mayAct = this.#gauge('may_act', '1 while this host may commit, open and evict')
  readonly #pool = this.#gauge('pool_bytes', 'Space of the pool', ['state'])
  readonly #free = this.#gauge('filesystem_free_bytes', 'Space free for root', ['filesystem'])
  readonly #size = this.#gauge('filesystem_size_bytes', 'Size of the file system', ['filesystem'])

  constructor(daemon: Daemon) {
    this.#daemon = daemon
    collectDefaultMetrics({ register: this.#registry, prefix: 'tidepool_' })
    this.#gauge('build_info', 'Always 1', ['version', 'node']).set(
      { version: version(), node: process.version },
      1,
    )
  }

  note({ what, error, result, tookMs, bytes = 0n, phases = {}, why }: Act): void {
    this.#acts.inc({ act: what, result: error === undefined ? (result ?? 'done') : 'failed' })
    this.#seconds.observe({ act: what }, tookMs / 1000)
    for (const [phase, ms] of Object.entries(phases)) this.#phases.observe({ phase }, ms / 1000)
    if (error !== undefined) return
    if (what === 'save') this.#savedBytes.inc(Number(bytes))
    if (what === 'open') this.#receivedBytes.inc(Number(bytes))
    if (what === 'evict') this.#evictions.inc({ reason: why ?? 'asked' })
  }

  async text(): Promise<string> {
    const { status, projects, unsaved, limiter } = await lookView(this.#daemon)
    const mounted = projects.filter((one) => one.mounted).length
    this.#projects.set({ state: 'mounted' }, mounted)
    this.#projects.set({ state: 'unmounted' }, projects.length - mounted)
    this.#projects.set({ state: 'save-failing' }, status.failingSaves.length)
    this.#projects.set({ state: 'busy' }, status.busy.length)
    this.#unsaved.set(unsaved.count)
    if (unsaved.bytes !== null) this.#unsavedBytes.set(Number(unsaved.bytes))
    else this.#unsavedBytes.remove()
    this.#unsavedAge.set(status.unsaved.oldestMs / 1000)
    this.#limiter.set({ state: 'in-flight' }, limiter.inFlight)
    this.#limiter.set({ state: 'waiting' }, limiter.waiting)
    this.#limit.set(limiter.limit)
    this.#mayAct.set(status.mayAct ? 1 : 0)
    this.#pool.set({ state: 'used' }, Number(status.pool.usedBytes))
    this.#pool.set({ state: 'available' }, Number(status.pool.availableBytes))
    const { state } = this.#daemon.config
    for (const [filesystem, path] of [
      ['root', '/'],
      ['state', state],
    ] as const) {
      const { bfree, blocks, bsize } = await statfs(path)
      this.#free.set({ filesystem }, bfree * bsize)
      this.#size.set({ filesystem }, blocks * bsize)
    }
    return this.#registry.metrics()
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name: `tidepool_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name: `tidepool_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #histogram(name: string, help: string, labelNames: string[]): Histogram {
    return new Histogram({
      name: `tidepool_${name}`,
      help,
      labelNames,
      buckets: SECONDS,
      registers: [this.#registry],
    })
  }
}
