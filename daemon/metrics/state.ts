/** Reads how things are at this moment. What can't be read leaves a gap, and the other figures as they are. */
import { statfs } from 'node:fs/promises'
import type { Daemon } from '../daemon.ts'
import { lookView } from '../watch/view.ts'
import type { Maker } from './make.ts'

/** A file system that hangs is no reason to say nothing. Prometheus itself waits for 10 s. */
const LIMIT_MS = 5_000

export class StateMetrics {
  readonly #read
  readonly #projects
  readonly #unsaved
  readonly #unsavedBytes
  readonly #unsavedAge
  readonly #limiter
  readonly #limiterBytes
  readonly #limit
  readonly #mayAct
  readonly #pool
  readonly #free
  readonly #size

  constructor(make: Maker) {
    this.#read = make.gauge('read_success', '1 where this part of the figures could be read', { part: [] })
    this.#projects = make.gauge('projects', 'Projects in the pool', { state: [] })
    this.#unsaved = make.gauge('unsaved_projects', 'Projects known to hold what the store has not')
    this.#unsavedBytes = make.gauge('unsaved_bytes', 'Bytes not saved yet; absent where ZFS counts none')
    this.#unsavedAge = make.gauge('unsaved_age_seconds', 'How far back the least saved project goes')
    this.#limiter = make.gauge('limiter_pieces', 'Work on the store', { state: [] })
    this.#limiterBytes = make.gauge('limiter_in_flight_bytes', 'Bytes on their way to or from the store')
    this.#limit = make.gauge('limiter_limit_pieces', 'Pieces of work on the store allowed at a time')
    this.#mayAct = make.gauge('may_act', '1 while this host may commit, open and evict')
    this.#pool = make.gauge('pool_bytes', 'Space of the pool', { state: [] })
    this.#free = make.gauge('filesystem_free_bytes', 'Space free for root', { filesystem: [] })
    this.#size = make.gauge('filesystem_size_bytes', 'Size of the file system', { filesystem: [] })
  }

  async read(daemon: Daemon): Promise<void> {
    const { engine, config } = daemon
    const { limit, inFlight, waiting, inFlightBytes } = engine.host.limiter.state
    this.#limiter.set({ state: 'in-flight' }, inFlight)
    this.#limiter.set({ state: 'waiting' }, waiting)
    this.#limiterBytes.set(inFlightBytes)
    this.#limit.set(limit)
    this.#mayAct.set(engine.membership.state.kind === 'live' ? 1 : 0)
    await Promise.all([
      this.#part('pool', () => this.#look(daemon), this.#forgetPool),
      ...[
        ['root', '/'],
        ['state', config.state],
      ].map(([name = '', path = '']) =>
        this.#part(
          name,
          () => this.#fileSystem(name, path),
          () => this.#forgetFileSystem(name),
        ),
      ),
    ])
  }

  /** `forget` where it could not be read: an old figure would be taken for a new one. */
  async #part(part: string, read: () => Promise<void>, forget: () => void): Promise<void> {
    let late: NodeJS.Timeout | undefined
    const limit = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error('it did not answer')), LIMIT_MS)
    })
    try {
      await Promise.race([read(), limit])
      this.#read.set({ part }, 1)
    } catch {
      forget()
      this.#read.set({ part }, 0)
    } finally {
      clearTimeout(late)
    }
  }

  async #look(daemon: Daemon): Promise<void> {
    const { status, projects, unsaved } = await lookView(daemon)
    const mounted = projects.filter((one) => one.mounted).length
    this.#projects.set({ state: 'mounted' }, mounted)
    this.#projects.set({ state: 'unmounted' }, projects.length - mounted)
    this.#projects.set({ state: 'save-failing' }, status.failingSaves.length)
    this.#projects.set({ state: 'busy' }, status.busy.length)
    this.#unsaved.set(unsaved.count)
    if (unsaved.bytes !== null) this.#unsavedBytes.set(Number(unsaved.bytes))
    else this.#unsavedBytes.remove()
    this.#unsavedAge.set(unsaved.oldestMs / 1000)
    this.#pool.set({ state: 'used' }, Number(status.pool.usedBytes))
    this.#pool.set({ state: 'available' }, Number(status.pool.availableBytes))
  }

  readonly #forgetPool = (): void => {
    for (const gauge of [this.#unsaved, this.#unsavedBytes, this.#unsavedAge]) gauge.remove()
    for (const gauge of [this.#projects, this.#pool]) gauge.reset()
  }

  #forgetFileSystem(filesystem: string): void {
    for (const gauge of [this.#free, this.#size]) gauge.remove({ filesystem })
  }

  async #fileSystem(filesystem: string, path: string): Promise<void> {
    const { bfree, blocks, bsize } = await statfs(path)
    this.#free.set({ filesystem }, bfree * bsize)
    this.#size.set({ filesystem }, blocks * bsize)
  }
}
