/**
 * How long to wait before each next try: an endless list of delays with decorrelated jitter.
 *
 * Each delay is drawn between the base and three times the one before, so that those who failed together do not come
 * back together; plain doubling with a little jitter keeps them in step.
 */
export interface BackoffOptions {
  /** From 0 up to, not including, 1. */
  readonly random: () => number
  /** @default 50 */
  readonly baseMs?: number
  /** @default 10 s */
  readonly capMs?: number
}

export function* backoff(options: BackoffOptions): Generator<number, never, void> {
  const { random, baseMs = 50, capMs = 10_000 } = options
  let previousMs = baseMs
  for (;;) {
    previousMs = Math.min(capMs, baseMs + random() * (previousMs * 3 - baseMs))
    yield previousMs
  }
}
