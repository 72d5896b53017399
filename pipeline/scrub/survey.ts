/** One walk over all projects before anything is done: what is alive, what would go, and where there is work. */
import type { ProjectId } from '../base/ids.ts'
import { unchecked } from './attempt.ts'
import type { DamagedProjects } from './damaged.ts'
import type { Finding } from './findings.ts'
import type { Run } from './settings.ts'
import type { StaleWrites } from './stale.ts'
import { isIdle, liveBytes, planUpkeep, type UpkeepPolicy, wantedBytes } from './upkeep.ts'

/** Past this the projects with work are not remembered: they are all walked once more. */
const MAX_REMEMBERED = 10_000

export class Survey {
  readonly #run: Run
  readonly #nowMs: number | null
  /** Undefined where the note can't be read: then any project may be damaged. */
  readonly #damaged: DamagedProjects | undefined
  #work = new Set<ProjectId>()
  #isAll = false

  constructor(run: Run, nowMs: number | null, damaged: DamagedProjects | undefined) {
    this.#run = run
    this.#nowMs = nowMs
    this.#damaged = damaged
  }

  policyFor(project: ProjectId): UpkeepPolicy {
    return { ...this.#run, nowMs: this.#nowMs, isDamaged: this.#damaged?.has(project) ?? true }
  }

  async *walk(stale: StaleWrites): AsyncGenerator<Finding, void> {
    const { store, budget, progress, signal } = this.#run
    try {
      for await (const { id } of store.catalogue.projects({ signal })) {
        progress.add({ projects: 1 })
        try {
          const project = await store.catalogue.read(id, { signal })
          if (!project) continue
          const upkeep = planUpkeep(project, this.policyFor(id))
          budget.addLive(liveBytes(project))
          budget.want(wantedBytes(project, upkeep))
          if (!isIdle(upkeep)) this.#remember(id)
          for (const row of upkeep.writing) yield* stale.meet({ project: id, row })
        } catch (error) {
          yield unchecked(this.#run, `project ${id}`, error, { project: id })
        }
      }
    } catch (error) {
      budget.close()
      yield unchecked(this.#run, 'the list of projects', error)
    }
  }

  /** The projects with work: one that could not be read is not among them. */
  async *work(): AsyncGenerator<ProjectId, void> {
    if (!this.#isAll) return yield* this.#work
    for await (const { id } of this.#run.store.catalogue.projects(this.#run)) yield id
  }

  #remember(id: ProjectId): void {
    if (this.#work.size < MAX_REMEMBERED) this.#work.add(id)
    else this.#isAll = true
  }
}
