/** What else is to be done when a project is mounted here, unmounted, or leaves: what saves, counts and serves it is told. */
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { Assembled } from './assemble.ts'
import type { EngineParts } from './engine-parts.ts'
import type { Opened } from './open.ts'

type Here = Pick<Assembled, 'host' | 'saves' | 'access' | 'drain' | 'unsaved' | 'diverged'>
/** How a project is gone from this host: its dataset alone, or the project. */
export type Leaving = 'evicted' | 'destroyed'

type Told = Pick<EngineParts, 'mounted' | 'unmounted' | 'left'>

export class Comings {
  readonly #here: Here
  readonly #told: Told

  constructor(here: Here, told: Told) {
    this.#here = here
    this.#told = told
  }

  /** What is open already stays so, and its opens ask by themselves. */
  async brings(id: ProjectId, act: () => Promise<Opened>): Promise<Opened> {
    const { refusal } = this.#here.drain
    if (refusal) throw refusal
    return this.mounts(id, act())
  }

  async mounts(id: ProjectId, act: Promise<Opened>): Promise<Opened> {
    const { unsaved, saves, access, diverged } = this.#here
    const done = await act
    diverged.forget(id)
    unsaved.mounted(id)
    saves.watch(id)
    access.used(id)
    await this.#told.mounted?.(id, done.path)
    return done
  }

  /** What could not be unmounted is watched on. */
  async unmounts<T>(id: ProjectId, act: Promise<T>): Promise<T> {
    const { unsaved, saves, diverged } = this.#here
    try {
      const done = await act
      diverged.forget(id)
      unsaved.saved(id)
      saves.forget(id)
      return done
    } finally {
      // Whoever waits for it mounts it only after this: that takes some commands.
      await this.unmounted(id)
    }
  }

  async unmounted(id: ProjectId): Promise<void> {
    await this.#told.unmounted?.(id)
  }

  /** Where it was not opened again meanwhile. */
  leaves(id: ProjectId, how: Leaving): void {
    const { host, saves } = this.#here
    if (saves.state(id)) return
    host.untouched.forget(id)
    this.#told.left?.(id, how)
  }
}
