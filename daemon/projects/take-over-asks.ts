/** With `takeover: ask`: what was wanted here of hosts that look dead, so that whoever decides sees all of it in one place. */
import type { Clock } from '../../pipeline/base/clock.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'

export interface TakeOverAsk {
  readonly id: ProjectId
  readonly owner: string
  readonly ownerName: string
  /** What a person types, once sure of it. */
  readonly command: string
}

/** Not wanted again for so long, it is not told any more: who owns it now, nobody here has looked. */
const KEPT_MS = 3_600_000

export class TakeOverAsks {
  readonly #clock: Clock
  readonly #asks = new Map<ProjectId, TakeOverAsk & { readonly atMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get all(): readonly TakeOverAsk[] {
    const oldestMs = this.#clock.monotonicMs() - KEPT_MS
    for (const [id, { atMs }] of this.#asks) if (atMs < oldestMs) this.#asks.delete(id)
    return [...this.#asks.values()].map(({ atMs: _atMs, ...ask }) => ask)
  }

  /** What the act ends with tells whether anybody has to be asked. */
  async during<T>(id: ProjectId, act: () => Promise<T>): Promise<T> {
    try {
      const done = await act()
      this.#asks.delete(id)
      return done
    } catch (error) {
      this.#asks.delete(id)
      if (codeOf(error) === 'takeover-asks' && error instanceof TidepoolError) this.#note(id, error)
      throw error
    }
  }

  #note(id: ProjectId, { facts }: TidepoolError): void {
    const owner = String(facts.owner)
    this.#asks.set(id, {
      id,
      owner,
      ownerName: String(facts.ownerName),
      command: `tidepool host dead ${owner}`,
      atMs: this.#clock.monotonicMs(),
    })
  }
}
