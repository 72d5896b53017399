/** A limit on how long something stays silent, where nobody knows how long it takes as a whole. */

/** Runs `wait`; calls `onSilent` once where it has not settled within `limitMs`. Leaves no timer behind. */
export async function heard<T>(limitMs: number, onSilent: () => void, wait: () => Promise<T>): Promise<T> {
  const timer = setTimeout(onSilent, limitMs)
  try {
    return await wait()
  } finally {
    clearTimeout(timer)
  }
}
