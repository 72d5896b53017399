/**
 * Who goes next: strict priorities, but a tenth of the budget is always left to saves.
 *
 * Opens come first because somebody waits for them; saves must not wait for ever behind them, because what they
 * carry exists nowhere else. Within a priority it is first come, first served, and nobody overtakes a piece that is
 * too big for what is free just now: else small ones would keep it waiting for ever.
 */
export type Priority = 'open' | 'save' | 'mirror' | 'scrub'

/** Highest first. */
export const PRIORITIES: readonly Priority[] = ['open', 'save', 'mirror', 'scrub']

export interface Piece {
  readonly priority: Priority
  readonly bytes: number
}

export interface Budget {
  readonly count: number
  readonly bytes: number
}

/** Of so many that go while a save waits, at least one is a save. */
const SAVES_TURN = 10

export class Admission {
  #saves = 0
  #saveBytes = 0
  #others = 0
  #otherBytes = 0
  /** How many others went since a save did, while one waited. */
  #overtakes = 0

  get inFlight(): number {
    return this.#saves + this.#others
  }

  get inFlightBytes(): number {
    return this.#saveBytes + this.#otherBytes
  }

  /** The piece that may go now, of the first in each line; undefined where all have to wait. */
  next<P extends Piece>(first: (priority: Priority) => P | undefined, budget: Budget): P | undefined {
    const save = first('save')
    if (save && this.#overtakes >= SAVES_TURN - 1) return this.#fits(save, budget) ? save : undefined
    const open = first('open')
    if (!open) {
      const head = save ?? first('mirror') ?? first('scrub')
      return head && this.#fits(head, budget) ? head : undefined
    }
    if (!save) return this.#fits(open, budget) ? open : undefined
    return this.#openOrSave(open, save, budget)
  }

  enter(piece: Piece, saveWaits: boolean): void {
    if (piece.priority === 'save') {
      this.#saves++
      this.#saveBytes += piece.bytes
      this.#overtakes = 0
    } else {
      this.#others++
      this.#otherBytes += piece.bytes
      this.#overtakes = saveWaits ? this.#overtakes + 1 : 0
    }
  }

  leave(piece: Piece): void {
    if (piece.priority === 'save') {
      this.#saves--
      this.#saveBytes -= piece.bytes
    } else {
      this.#others--
      this.#otherBytes -= piece.bytes
    }
  }

  /** A piece larger than the whole budget goes alone: it could never go otherwise. */
  #fits(piece: Piece, budget: Budget): boolean {
    if (this.inFlight === 0) return true
    return this.inFlight < budget.count && this.inFlightBytes + piece.bytes <= budget.bytes
  }

  #openOrSave<P extends Piece>(open: P, save: P, budget: Budget): P | undefined {
    // The last tenth, in whole pieces: never less than the one that waits.
    const keptCount = Math.ceil(budget.count / 10)
    const keptBytes = Math.max(budget.bytes / 10, save.bytes)
    const openFits = this.#fits(open, budget)
    // An open that fits in no way beside the kept tenth, or a budget of one, cannot be shared by space, only by turns.
    if (budget.count === 1 || open.bytes > budget.bytes - keptBytes) return openFits ? open : undefined
    if (
      openFits &&
      this.#others + 1 <= budget.count - keptCount &&
      this.#otherBytes + open.bytes <= budget.bytes - keptBytes
    )
      return open
    // A save passes an open that has to wait only inside the kept tenth, so that the open's own room comes free.
    const inside = this.#saves + 1 <= keptCount && this.#saveBytes + save.bytes <= keptBytes
    return inside && this.#fits(save, budget) ? save : undefined
  }
}
