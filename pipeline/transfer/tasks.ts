/** Work under way that is settled, all of it, before its owner returns. */
export class Tasks {
  readonly #running = new Set<Promise<void>>()
  readonly #onFailure: (error: unknown) => void
  #failure: { readonly error: unknown } | undefined

  /** `onFailure` is called once, at the first failure: to stop what feeds the work. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure
  }

  start(work: () => Promise<void>): void {
    const task: Promise<void> = work()
      .catch((error: unknown) => {
        if (this.#failure) return
        this.#failure = { error }
        this.#onFailure(error)
      })
      .finally(() => this.#running.delete(task))
    this.#running.add(task)
  }

  /** Throws the first failure, if there was one already. */
  check(): void {
    if (this.#failure) throw this.#failure.error
  }

  /** Waits until nothing runs any more. Does not throw. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}
