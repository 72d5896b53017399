/**
 * Whether this host can receive whatever its store lets in: what it can is noted there for others to see, and what it can't is known
 * from the start on, before an open fails on it.
 */
import { poolOf } from '../../native/zfs/names.ts'
import { receivableBy } from '../../native/zfs/receives.ts'
import { noteReceives } from '../../pipeline/hosts/receives.ts'
import type { ActOptions, ProjectHost } from './host.ts'

/** What an operator changed is known here as soon as somebody would look for it, and costs two reads of the store. */
const INTERVAL_MS = 5 * 60_000

export class Receivable {
  readonly #host: ProjectHost
  readonly #onChange: (lacks: readonly string[]) => void
  #lacks: readonly string[] = []

  /** `onChange` hears of each change of `lacks`. */
  constructor(host: ProjectHost, onChange: (lacks: readonly string[]) => void = () => {}) {
    this.#host = host
    this.#onChange = onChange
  }

  /** What the store allows and this host can't receive; where the store says nothing, nothing is known. */
  get lacks(): readonly string[] {
    return this.#lacks
  }

  async look(options: ActOptions = {}): Promise<void> {
    const { zfs, parent, store, host } = this.#host
    const can = await receivableBy(zfs, poolOf(parent), options.signal ? { signal: options.signal } : {})
    await noteReceives(store.catalogue, host, can, options)
    const { receivable } = await store.catalogue.info(options)
    const lacks = (receivable ?? []).filter((feature) => !can.includes(feature))
    if (lacks.join() === this.#lacks.join()) return
    this.#lacks = lacks
    this.#onChange(lacks)
  }

  /** At once, and again and again until the signal fires. Never rejects: what could not be looked at is looked at the next time. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look({ signal }).catch(() => {})
      await this.#host.clock.sleep(INTERVAL_MS, signal).catch(() => {})
    }
  }
}
