/** Projects that somebody wants to stay in this pool, mounted and ready; kept over restarts in the state directory. */
import { join } from 'node:path'
import { z } from 'zod'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { readStateFile, writeStateFile } from './state-file.ts'

const FILE = 'pinned.json'
const schema = z.object({ projects: z.array(z.string().transform((text) => projectId(text))) })

export class Pinned {
  readonly #file: string
  #ids: ReadonlySet<ProjectId>
  #changing: Promise<void> = Promise.resolve()

  private constructor(file: string, ids: Iterable<ProjectId>) {
    this.#file = file
    this.#ids = new Set(ids)
  }

  /** Rejects with `pins-damaged` rather than let go what somebody wanted to stay. */
  static async open(directory: string): Promise<Pinned> {
    const file = join(directory, FILE)
    const found = await readStateFile(file, schema).catch((cause: unknown) => {
      throw new TidepoolError('pins-damaged', `${file} does not say which projects stay in this pool`, {
        cause,
        hint: 'Mend it, or remove it and pin them again.',
      })
    })
    return new Pinned(file, found?.projects ?? [])
  }

  has(id: ProjectId): boolean {
    return this.#ids.has(id)
  }

  /** Durable when it resolves; so already is no error. */
  set(id: ProjectId, isPinned: boolean): Promise<void> {
    const changed = this.#changing.then(async () => {
      if (this.#ids.has(id) === isPinned) return
      const next = new Set(this.#ids)
      if (isPinned) next.add(id)
      else next.delete(id)
      await writeStateFile(this.#file, { projects: [...next] })
      this.#ids = next
    })
    this.#changing = changed.catch(() => {})
    return changed
  }
}
