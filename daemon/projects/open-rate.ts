/** How long opens take on this host, learned from the last ones, to say how long the next will. */
import { receiveCost } from '../../pipeline/graph/plan.ts'

/** What an open had to receive. */
export interface OpenWork {
  readonly streams: number
  readonly bytes: bigint
}

/** Of so many opens the median counts: one that waited for a slow store says nothing. */
const REMEMBERED = 32
/** Before there was any: a mount, and 100 MiB a second. */
const MOUNT_MS = 200
const COST_PER_MS = (100 * 2 ** 20) / 1000

export class OpenRate {
  readonly #mountsMs: number[] = []
  readonly #costsPerMs: number[] = []

  note(work: OpenWork, tookMs: number): void {
    if (work.streams === 0) remember(this.#mountsMs, tookMs)
    else
      remember(
        this.#costsPerMs,
        costOf(work) / Math.max(1, tookMs - this.predictMs({ streams: 0, bytes: 0n })),
      )
  }

  predictMs(work: OpenWork): number {
    const mountMs = median(this.#mountsMs) ?? MOUNT_MS
    return Math.round(
      mountMs + (work.streams === 0 ? 0 : costOf(work) / (median(this.#costsPerMs) ?? COST_PER_MS)),
    )
  }
}

/** The same as in the choice of a path: a stream costs something by itself. */
const costOf = ({ streams, bytes }: OpenWork): number => Number(bytes) + streams * receiveCost(0n)

function remember(values: number[], value: number): void {
  if (!(value > 0 && Number.isFinite(value))) return
  values.push(value)
  if (values.length > REMEMBERED) values.shift()
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}
