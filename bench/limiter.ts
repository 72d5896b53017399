/** What a permit and a retry's frame cost beside the work they guard: nanoseconds for each piece. */
import { systemClock } from '../pipeline/base/clock.ts'
import { adaptiveLimiter, type Limiter } from '../pipeline/limit/limiter.ts'
import { retry, retryScope } from '../pipeline/limit/retry.ts'
import { spread } from './pairs.ts'
import type { Row } from './report.ts'

const PIECES = 200_000
/** Odd, for a middle one; the machine is shared, so single rounds lie. */
const ROUNDS = 7
const CHUNK_BYTES = 262_144
/** Far below the 150,000 ns that hashing a chunk of 256 KiB takes. */
const AT_MOST_NS = 10_000

export async function limiter(): Promise<Row[]> {
  return [
    await cost('permit, nobody waits', (pieces) => permits(quiet(), 1, pieces)),
    await cost('permit, 100 wait', (pieces) => permits(quiet(), 128, pieces)),
    await cost('permit, 1,000 wait', (pieces) => permits(quiet(), 1028, pieces)),
    await cost('permit, 100 wait with one signal', (pieces) =>
      permits(quiet(), 128, pieces, new AbortController().signal),
    ),
    await cost('retry around what succeeds', retries),
  ]
}

function quiet(): Limiter {
  return adaptiveLimiter({ clock: systemClock, maxBytes: 2 ** 26, start: 28, max: 28 })
}

/** So many senders, each with one piece at a time, until all the pieces are through. */
async function permits(
  limiter: Limiter,
  senders: number,
  pieces: number,
  signal?: AbortSignal,
): Promise<void> {
  let left = pieces
  const sender = async (): Promise<void> => {
    while (left-- > 0) {
      const permit = await limiter.acquire(CHUNK_BYTES, { priority: 'save', signal })
      limiter.observe({ elapsedMs: 20, outcome: 'ok' })
      permit.release()
    }
  }
  await Promise.all(Array.from({ length: senders }, sender))
}

async function retries(pieces: number): Promise<void> {
  const scope = retryScope({ clock: systemClock, random: Math.random })
  const options = { ...scope, what: 'put' }
  for (let i = 0; i < pieces; i++) await retry(async () => i, options)
}

async function cost(name: string, round: (pieces: number) => Promise<void>): Promise<Row> {
  await round(PIECES / 10)
  const found: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const start = performance.now()
    await round(PIECES)
    found.push(((performance.now() - start) * 1e6) / PIECES)
  }
  const ns = spread(found)
  return { name, value: ns.median, spread: ns, unit: 'ns', target: { atMost: AT_MOST_NS } }
}
