/** What a process that is about to be killed does, and what it tells of it first, so that its parent knows what may be half-done. */
import { writeSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { undelete } from '../../../daemon/projects/destroy.ts'
import type { Engine } from '../../../daemon/projects/engine.ts'
import { Launcher } from '../../../native/zfs/launcher.ts'
import { datasetName } from '../../../native/zfs/names.ts'
import { openZfs } from '../../../native/zfs/zfs.ts'
import { guid, type ProjectId, projectId } from '../../../pipeline/base/ids.ts'
import { readProject } from '../../../pipeline/graph/settle.ts'
import { openDirectoryStore } from '../../../pipeline/stores/directory/index.ts'
import { startEngine } from '../engine.ts'
import { chance, int, pick, type Random, seeded } from '../random.ts'
import { inPlace } from './in-place.ts'
import { isGone, requireLetGo } from './let-go.ts'
import { doStep } from './steps.ts'

export type Verb =
  | 'create'
  | 'open'
  | 'save'
  | 'close'
  | 'evict'
  | 'rollback'
  | 'restore'
  | 'destroy'
  | 'undelete'

/**
 * What it says, one a line. A `step` or `begin` comes before the deed, a `stepped` or `done` behind it; `gone` instead where
 * retention had let the point go, and nothing was done.
 */
export type Told =
  | { readonly tells: 'ready' }
  | { readonly tells: 'step'; readonly id: ProjectId; readonly branch: number }
  | { readonly tells: 'stepped'; readonly id: ProjectId }
  | { readonly tells: 'begin'; readonly id: ProjectId; readonly verb: Verb; readonly point?: string }
  | { readonly tells: 'done'; readonly id: ProjectId; readonly verb: Verb; readonly point?: string }
  | { readonly tells: 'gone'; readonly id: ProjectId; readonly verb: Verb; readonly point: string }
  | { readonly tells: 'failed'; readonly why: string }

export interface LifeOrders {
  readonly parent: string
  readonly mounts: string
  readonly store: string
  readonly state: string
  readonly seed: number
  /** Content that is written in this life differs from that of others. */
  readonly branch: number
  /** Of each project how many steps it has, and points with the number of theirs. */
  readonly projects: readonly {
    readonly id: string
    readonly steps: number
    readonly points: readonly (readonly [string, number])[]
  }[]
}

/** At once, each on a project of its own. */
const WORKERS = 2

// Not by console.log: it must have left this process before the deed begins.
const tell = (what: Told): void => void writeSync(1, `${JSON.stringify(what)}\n`)

async function main(): Promise<void> {
  // As a daemon has it: it is killed with commands that the launcher has started.
  const launcher = new Launcher()
  const zfs = await openZfs({}, { launcher })
  // All that takes long is there when they come: a process is started while the life before it is still looked at.
  const orders = JSON.parse(await text(process.stdin)) as LifeOrders
  const store = await openDirectoryStore(orders.store)
  const world = {
    zfs,
    parent: datasetName(orders.parent),
    mounts: orders.mounts,
  }
  const engine = await startEngine(world, store, orders.state, { saves: { intervalMs: 400 } })
  const random = seeded(orders.seed)
  const projects = orders.projects.map(
    ({ id, steps, points }) => new Life(engine, projectId(id), orders.branch, steps, new Map(points)),
  )
  const idle = [...projects]
  let made = 0
  const fresh = (): Life => {
    made += 1
    return new Life(engine, projectId(`p${orders.branch}-${made}`), orders.branch)
  }
  tell({ tells: 'ready' })
  const work = async (): Promise<never> => {
    for (;;) {
      const one =
        idle.length === 0 || chance(random, 0.03)
          ? fresh()
          : (idle.splice(int(random, 0, idle.length - 1), 1)[0] as Life)
      await one.act(random)
      if (!one.over) idle.push(one)
    }
  }
  await Promise.all(Array.from({ length: WORKERS }, work))
}

class Life {
  over = false
  readonly #engine: Engine
  readonly #id: ProjectId
  readonly #branch: number
  readonly #points: Map<string, number>
  #steps: number
  #isThere: boolean
  #path: string | undefined

  constructor(
    engine: Engine,
    id: ProjectId,
    branch: number,
    steps?: number,
    points = new Map<string, number>(),
  ) {
    this.#engine = engine
    this.#id = id
    this.#branch = branch
    this.#steps = steps ?? 0
    this.#isThere = steps !== undefined
    this.#points = points
  }

  /** One deed, whatever may come next in the life of a project. */
  async act(random: Random): Promise<void> {
    const engine = this.#engine
    const id = this.#id
    if (!this.#isThere) {
      this.#path = inPlace(await this.#told('create', () => engine.create(id)))
      this.#isThere = true
    } else if (this.#path === undefined) {
      this.#path = inPlace(await this.#told('open', () => engine.open(id)))
    } else if (chance(random, 0.5)) {
      this.#write(this.#path, int(random, 1, 12))
    } else {
      const deeds = [
        () => this.#save(),
        () => this.#save(),
        () => this.#leave('close', () => engine.close(id)),
        () => this.#leave('evict', () => engine.evict(id)),
        () => this.#leave('evict', () => engine.evict(id)),
        () => this.#rollBack(random),
        () => this.#restore(random),
        () => this.#destroy(random),
      ]
      await pick(random, deeds)()
    }
  }

  #write(path: string, count: number): void {
    for (let i = 0; i < count; i++) {
      tell({ tells: 'step', id: this.#id, branch: this.#branch })
      doStep(path, this.#steps, this.#branch)
      this.#steps += 1
      tell({ tells: 'stepped', id: this.#id })
    }
  }

  async #save(): Promise<void> {
    const { point } = await this.#told('save', () => this.#engine.save(this.#id))
    this.#points.set(point, this.#steps)
  }

  async #leave(verb: Verb, deed: () => Promise<unknown>): Promise<void> {
    await this.#told(verb, deed)
    this.#path = undefined
  }

  async #rollBack(random: Random): Promise<void> {
    if (this.#points.size === 0) return
    const [point, steps] = pick(random, [...this.#points])
    const rollBack = async (): Promise<void> => {
      this.#path = inPlace(await this.#engine.rollBack(this.#id, guid(BigInt(point))))
      this.#steps = steps
    }
    await this.#toldOf(point, 'rollback', rollBack)
  }

  /** Beside it, and mostly left there. */
  async #restore(random: Random): Promise<void> {
    if (this.#points.size === 0) return
    const [point] = pick(random, [...this.#points])
    const restore = async (): Promise<void> => {
      await this.#engine.restorePoint(this.#id, { guid: guid(BigInt(point)) })
      if (chance(random, 0.3)) await this.#engine.removeRestored(this.#id, guid(BigInt(point)))
    }
    await this.#toldOf(point, 'restore', restore)
  }

  async #destroy(random: Random): Promise<void> {
    await this.#leave('destroy', () => this.#engine.destroy(this.#id))
    this.over = chance(random, 0.2)
    if (!this.over) await this.#told('undelete', () => undelete(this.#engine.host, this.#id))
  }

  /** Saves come in between that nobody was told of, and with each the oldest point may go. */
  async #toldOf(point: string, verb: Verb, deed: () => Promise<void>): Promise<void> {
    try {
      await this.#told(verb, deed, point)
    } catch (error) {
      if (!isGone(error)) throw error
      const { store, settings } = this.#engine.host
      requireLetGo(await readProject(store.catalogue, this.#id), guid(BigInt(point)), settings.retention)
      this.#points.delete(point)
      tell({ tells: 'gone', id: this.#id, verb, point })
    }
  }

  async #told<T>(verb: Verb, deed: () => Promise<T>, point?: string): Promise<T> {
    tell({ tells: 'begin', id: this.#id, verb, ...(point !== undefined && { point }) })
    const done = await deed()
    const made = verb === 'save' ? (done as { point: string }).point : point
    tell({ tells: 'done', id: this.#id, verb, ...(made !== undefined && { point: made }) })
    return done
  }
}

main().catch((error: unknown) => {
  tell({ tells: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  process.exit(1)
})
