/** How quickly bytes come, over the last few seconds: what it was an hour ago says nothing about when this will end. */

const WINDOW_MS = 5_000
/** Samples nearer to each other add nothing. */
const APART_MS = 100

export class Rate {
  #samples: { readonly atMs: number; readonly bytes: bigint }[] = []

  note(atMs: number, bytes: bigint): void {
    const last = this.#samples.at(-1)
    // Another step counts from its own beginning.
    if (last && bytes < last.bytes) this.#samples = []
    else if (last && atMs - last.atMs < APART_MS) return
    this.#samples.push({ atMs, bytes })
    while (this.#samples.length > 2 && (this.#samples[0]?.atMs ?? 0) < atMs - WINDOW_MS) this.#samples.shift()
  }

  /** 0 until there is enough to tell. */
  bytesPerSecond(atMs: number, bytes: bigint): number {
    const [oldest] = this.#samples
    const ms = oldest ? atMs - oldest.atMs : 0
    return oldest && ms >= APART_MS ? (Number(bytes - oldest.bytes) / ms) * 1000 : 0
  }
}
