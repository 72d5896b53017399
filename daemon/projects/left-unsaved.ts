/**
 * Projects that an earlier process left with something that the store has not: named by its last words, or seen by what ZFS counts.
 * They are not mounted, so that each is saved once, and then no more until it is opened.
 */
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { NotSaved, PutAway } from './put-away.ts'

export class LeftUnsaved {
  readonly #named: Map<ProjectId, NotSaved>
  readonly #unmounted = new Set<ProjectId>()

  constructor(last: PutAway | undefined) {
    this.#named = new Map(last?.notSaved.map((one) => [one.id, one]))
  }

  /** Named when the host went down, and not saved since. */
  get named(): readonly NotSaved[] {
    return [...this.#named.values()]
  }

  /** Of the others this pool has nothing any more. */
  keepOnly(residents: Iterable<ProjectId>): void {
    const here = new Set(residents)
    for (const id of [...this.#named.keys()]) if (!here.has(id)) this.#named.delete(id)
  }

  /** Of one that is not mounted. */
  mayBe(id: ProjectId, writtenBytes: bigint | undefined): boolean {
    return this.#named.has(id) || (writtenBytes ?? 0n) > 0n
  }

  add(id: ProjectId): void {
    this.#unmounted.add(id)
  }

  /** From now on it is saved like all that are open. */
  mounted(id: ProjectId): void {
    this.#unmounted.delete(id)
  }

  /** True where it needs no further save. */
  saved(id: ProjectId): boolean {
    this.#named.delete(id)
    return this.#unmounted.delete(id)
  }
}
