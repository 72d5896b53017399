/**
 * Which projects are mounted, as the access process knows it by itself: from mountinfo, which no dead daemon and no hung
 * file system can keep from it.
 */
import { type Mount, readMounts } from '../../native/mount/mountinfo.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'

/** How old a yes may be. A no is always read first. */
export const MEMORY_MS = 1000

export interface MountedOptions {
  readonly mountRoot: string
  readonly clock: Clock
  readonly read?: () => Promise<readonly Mount[]>
}

export class Mounted {
  readonly #prefix: string
  readonly #clock: Clock
  readonly #readMounts: () => Promise<readonly Mount[]>
  #points: ReadonlySet<string> = new Set()
  #readAtMs = Number.NEGATIVE_INFINITY
  #forgotten = 0
  readonly #held = new Set<string>()
  #reading: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor({ mountRoot, clock, read = readMounts }: MountedOptions) {
    this.#prefix = `${mountRoot}/`
    this.#clock = clock
    this.#readMounts = read
  }

  /** Whether something is mounted at that very path. From memory where that is young and says yes. */
  async has(path: string): Promise<boolean> {
    if (this.#held.has(path)) return false
    if (this.#clock.monotonicMs() - this.#readAtMs < MEMORY_MS && this.#points.has(path)) return true
    let forgotten: number
    do {
      forgotten = this.#forgotten
      await this.refresh()
      // What was unmounted while it was being read may still stand in it.
    } while (forgotten !== this.#forgotten)
    return this.#points.has(path) && !this.#held.has(path)
  }

  /** It is about to be unmounted: no until it is released, whatever is mounted. */
  hold(path: string): void {
    this.#held.add(path)
  }

  /** Of all that are held where none is named. */
  release(path?: string): void {
    if (path === undefined) this.#held.clear()
    else this.#held.delete(path)
  }

  /** Those that are mounted where they should be, as far as is known now. */
  get ids(): ProjectId[] {
    return [...this.#points].flatMap((path) => {
      if (!path.startsWith(this.#prefix)) return []
      try {
        return [projectId(path.slice(this.#prefix.length))]
      } catch {
        // Something else, or what is mounted inside a project.
        return []
      }
    })
  }

  /** Nothing is answered from memory until it was read again. */
  forget(): void {
    this.#forgotten++
    this.#readAtMs = Number.NEGATIVE_INFINITY
  }

  /** Resolves once it was read by a reading that began after this call; all who come during one share the next. */
  refresh(): Promise<void> {
    if (!this.#reading) {
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined
      })
      return this.#reading
    }
    this.#next ??= this.#reading
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.refresh()
      })
    return this.#next
  }

  async #read(): Promise<void> {
    const beganMs = this.#clock.monotonicMs()
    const forgotten = this.#forgotten
    this.#points = new Set((await this.#readMounts()).map(({ mountPoint }) => mountPoint))
    if (forgotten === this.#forgotten) this.#readAtMs = beganMs
  }
}
