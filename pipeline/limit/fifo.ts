/** A first-in-first-out line that anybody may leave from the middle, at a cost that does not grow with its length. */

export interface Place<T> {
  readonly value: T
  before: Place<T> | undefined
  behind: Place<T> | undefined
  waiting: boolean
}

/**
 * A linked list and not a `Set`: reading the first of a Set steps over everything that was deleted before it, so a
 * long line that is served from its head would cost more with each one served.
 */
export class Fifo<T> {
  #first: Place<T> | undefined
  #last: Place<T> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): T | undefined {
    return this.#first?.value
  }

  add(value: T): Place<T> {
    const place: Place<T> = { value, before: this.#last, behind: undefined, waiting: true }
    if (this.#last) this.#last.behind = place
    else this.#first = place
    this.#last = place
    this.#size++
    return place
  }

  /** Leaves the line; nothing happens where the place was left already. */
  remove(place: Place<T>): void {
    if (!place.waiting) return
    place.waiting = false
    if (place.before) place.before.behind = place.behind
    else this.#first = place.behind
    if (place.behind) place.behind.before = place.before
    else this.#last = place.before
    this.#size--
  }

  shift(): T | undefined {
    const place = this.#first
    if (place) this.remove(place)
    return place?.value
  }
}
