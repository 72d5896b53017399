/** Projects of which something could not be read or was read in part: nothing of theirs is deleted in this run. */
import type { ProjectId } from '../base/ids.ts'

/** Past this the store as a whole is in trouble. */
const MAX_NAMED = 10_000

export class SpoiledProjects {
  readonly #projects = new Set<ProjectId>()
  #isAll = false

  add(project: ProjectId): void {
    if (this.#projects.size < MAX_NAMED) this.#projects.add(project)
    else this.#isAll = true
  }

  has(project: ProjectId): boolean {
    return this.#isAll || this.#projects.has(project)
  }
}
