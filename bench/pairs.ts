/**
 * Measures a thing and its yardstick in alternating pairs, in an order drawn for each pair: the machine's speed drifts
 * by a factor of two within minutes, and only the ratio inside a pair survives that.
 */

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

export interface Paired {
  readonly ours: Spread
  readonly yardstick: Spread
  /** Ours to the yardstick's, pair by pair. */
  readonly ratio: Spread
  readonly pairs: number
}

/** Each of the two measures once and returns a rate: more is better. */
export async function inPairs(
  pairs: number,
  random: () => number,
  ours: () => Promise<number>,
  yardstick: () => Promise<number>,
): Promise<Paired> {
  const measured: { ours: number; yardstick: number }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    if (random() < 0.5) {
      const first = await ours()
      measured.push({ ours: first, yardstick: await yardstick() })
    } else {
      const first = await yardstick()
      measured.push({ ours: await ours(), yardstick: first })
    }
  }
  return {
    ours: spread(measured.map((pair) => pair.ours)),
    yardstick: spread(measured.map((pair) => pair.yardstick)),
    ratio: spread(measured.map((pair) => pair.ours / pair.yardstick)),
    pairs,
  }
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median =
    sorted.length % 2 === 1 ? at(sorted, middle) : (at(sorted, middle - 1) + at(sorted, middle)) / 2
  return { min: at(sorted, 0), median, max: at(sorted, sorted.length - 1) }
}

function at(values: readonly number[], index: number): number {
  const value = values[index]
  if (value === undefined) throw new RangeError('nothing was measured')
  return value
}
