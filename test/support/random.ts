/** Random numbers that come again with the same seed, and the few shapes that tests draw from them. */

/** A number from 0 up to, not including, 1: what `Math.random` is. */
export type Random = () => number

/** The seed of this run: `TIDEPOOL_SEED` where it is set, else a fresh one; printed, so that a failure can be repeated. */
export function runSeed(what: string): number {
  const given = process.env.TIDEPOOL_SEED
  const seed = given ? Number(given) : Math.floor(Math.random() * 2 ** 31)
  if (!Number.isSafeInteger(seed)) throw new Error(`TIDEPOOL_SEED is ${given}, which is no whole number`)
  process.stderr.write(`${what}: TIDEPOOL_SEED=${seed}\n`)
  return seed
}

/** Mulberry32: 32 bits of state, good enough to pick test cases and quick enough to fill buffers. */
export function seeded(seed: number): Random {
  const next = words(seed)
  return () => next() / 2 ** 32
}

/** A whole number from `min` to `max`, both possible. */
export function int(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1))
}

export function chance(random: Random, probability: number): boolean {
  return random() < probability
}

export function pick<T>(random: Random, list: readonly T[]): T {
  if (list.length === 0) throw new RangeError('nothing to pick from')
  return list[int(random, 0, list.length - 1)] as T
}

/** The same items in another order; the list itself stays as it is. */
export function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const rest = [...list]
  const result: T[] = []
  while (rest.length > 0) result.push(...rest.splice(int(random, 0, rest.length - 1), 1))
  return result
}

/** `length` bytes that do not compress. One draw seeds the whole buffer, so the draws after it do not depend on `length`. */
export function bytes(random: Random, length: number): Buffer {
  const next = words(Math.floor(random() * 2 ** 32))
  const whole = new Uint32Array(Math.ceil(length / 4))
  for (let i = 0; i < whole.length; i++) whole[i] = next()
  return Buffer.from(whole.buffer, 0, length)
}

function words(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}
