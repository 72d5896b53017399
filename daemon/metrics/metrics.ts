/** What Prometheus reads of a daemon. No label ever names a project: there are as many series for ten thousand of them as for one. */
import { collectDefaultMetrics } from 'prom-client'
import type { StoreAttempt } from '../../pipeline/stores/retrying.ts'
import type { Figures } from '../access/figures.ts'
import { version } from '../cli/package.ts'
import type { Daemon } from '../daemon.ts'
import type { Act } from '../projects/acts.ts'
import { ActMetrics } from './acts.ts'
import { EventLoopMetrics, NEVER_MS } from './event-loop.ts'
import { FuseMetrics } from './fuse.ts'
import { Maker, PREFIX } from './make.ts'
import { StateMetrics } from './state.ts'
import { StoreMetrics } from './store.ts'

export class Metrics {
  readonly #make = new Maker()
  readonly #acts = new ActMetrics(this.#make)
  readonly #fuse = new FuseMetrics(this.#make)
  readonly #store = new StoreMetrics(this.#make)
  readonly #state = new StateMetrics(this.#make)
  readonly #eventLoop

  constructor() {
    const { registry: register } = this.#make
    collectDefaultMetrics({ register, prefix: PREFIX, eventLoopMonitoringPrecision: NEVER_MS })
    this.#eventLoop = new EventLoopMetrics(this.#make)
    this.#make
      .gauge('build_info', 'Always 1', { version: [], node: [] })
      .set({ version: version(), node: process.version }, 1)
  }

  /** Watches this process until the signal fires. */
  run(signal: AbortSignal): void {
    this.#eventLoop.run(signal)
  }

  act(act: Act): void {
    this.#acts.note(act)
  }

  /** Undefined: no access process is connected. */
  access(figures: Figures | undefined): void {
    this.#fuse.note(figures)
  }

  storeAttempt(attempt: StoreAttempt): void {
    this.#store.note(attempt)
  }

  async text(daemon: Daemon): Promise<string> {
    await this.#state.read(daemon)
    return this.#make.registry.metrics()
  }
}
