/** How much one owner may ask at a time: whoever asks for more waits, and everybody else does not. */
import { TidepoolError } from '../../pipeline/base/errors.ts'

const AN_OWNER = 8

export class AtOnce {
  readonly #running = new Map<string, number>()

  /** Rejects with `too-many-requests`, or gives what is called at the end. Root and tokens are trusted not to. */
  enter(principal: string): () => void {
    if (!principal.startsWith('owner:')) return () => {}
    const before = this.#running.get(principal) ?? 0
    if (before >= AN_OWNER)
      throw new TidepoolError('too-many-requests', `${before} requests of yours are not done yet`, {
        temporary: true,
        hint: 'Wait for their ends.',
        facts: { retryAfterS: 1 },
      })
    this.#running.set(principal, before + 1)
    return () => {
      const left = (this.#running.get(principal) ?? 1) - 1
      if (left > 0) this.#running.set(principal, left)
      else this.#running.delete(principal)
    }
  }
}
