/** Where a project is: from this process's own memory where it is mounted, else from the daemon, which opens it. */
import { join } from 'node:path'
import { ErrnoError } from '../../native/fuse/errno.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { DaemonClient } from './client.ts'
import type { Mounted } from './mounted.ts'

export class Paths {
  readonly #mountRoot: string
  readonly #mounted: Pick<Mounted, 'has'>
  readonly #client: Pick<DaemonClient, 'open' | 'used'>
  readonly #used = new Set<ProjectId>()

  constructor(mountRoot: string, mounted: Pick<Mounted, 'has'>, client: Pick<DaemonClient, 'open' | 'used'>) {
    this.#mountRoot = mountRoot
    this.#mounted = mounted
    this.#client = client
  }

  /** Rejects with an `ErrnoError`. A path that it resolves with is that of a mount, never of the empty directory below one. */
  async of(id: ProjectId): Promise<string> {
    const path = join(this.#mountRoot, id)
    if (await this.#mounted.has(path)) return this.#found(id, path)
    const opened = await this.#client.open(id)
    // A person may have mounted it elsewhere. What the daemon names and mountinfo does not was unmounted again at once.
    if (await this.#mounted.has(opened)) return this.#found(id, opened)
    throw new ErrnoError('EAGAIN', `project ${id} is not mounted at ${opened}`)
  }

  /** Which were reached since it was told last; kept for the next time where no daemon listens. */
  tellUsed(): void {
    if (this.#used.size > 0 && this.#client.used([...this.#used])) this.#used.clear()
  }

  #found(id: ProjectId, path: string): string {
    this.#used.add(id)
    return path
  }
}
