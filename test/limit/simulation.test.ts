/** What the adaptive limiter makes of servers of all sizes, in virtual time: full throughput and bounded latency. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { adaptiveLimiter } from '../../pipeline/limit/limiter.ts'
import { FakeServer, type FakeServerOptions } from '../support/fake-server.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { runSeed, seeded } from '../support/random.ts'

const test = suite('limiter against a simulated server')

const SENDERS = 200

interface Outcome {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly limit: number
}

/** Always more to send than may be, for so long; the figures leave out the first second. */
async function saturate(server: Omit<FakeServerOptions, 'clock'>, seconds: number): Promise<Outcome> {
  const clock = new ManualClock()
  const fake = new FakeServer({ clock, ...server })
  const limiter = adaptiveLimiter({ clock, maxBytes: 64 * 2 ** 20 })
  const elapsed: number[] = []
  const endMs = seconds * 1000
  const senders = Array.from({ length: SENDERS }, async () => {
    while (clock.monotonicMs() < endMs) {
      const permit = await limiter.acquire(2 ** 18, { priority: 'save' })
      const begunMs = clock.monotonicMs()
      await fake.serve()
      const elapsedMs = clock.monotonicMs() - begunMs
      if (clock.monotonicMs() >= 1000 && clock.monotonicMs() < endMs) elapsed.push(elapsedMs)
      limiter.observe({ elapsedMs, outcome: 'ok' })
      permit.release()
    }
  })
  await clock.run(Promise.all(senders))
  elapsed.sort((a, b) => a - b)
  const at = (share: number): number => elapsed[Math.floor(elapsed.length * share)] ?? 0
  return {
    perSecond: elapsed.length / (seconds - 1),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    limit: limiter.state.limit,
  }
}

function jittered(meanMs: number, what: string): () => number {
  const random = seeded(runSeed(what))
  return () => meanMs * (0.75 + random() / 2)
}

function hold(got: Outcome, want: { perSecond: number; p50Ms: number; p99Ms: number }): void {
  const figures = JSON.stringify(got)
  assert.ok(got.perSecond >= 0.95 * want.perSecond, `${figures}, ideal ${want.perSecond}/s`)
  assert.ok(got.p50Ms <= want.p50Ms, `${figures}, p50 allowed ${want.p50Ms} ms`)
  assert.ok(got.p99Ms <= want.p99Ms, `${figures}, p99 allowed ${want.p99Ms} ms`)
}

test('8 workers of 20 ms', async () => {
  const got = await saturate({ workers: 8, serviceMs: jittered(20, '8 workers') }, 30)
  hold(got, { perSecond: 400, p50Ms: 100, p99Ms: 320 })
})

for (const workers of [32, 64])
  test(`${workers} workers are used as fully as 8`, async () => {
    const got = await saturate({ workers, serviceMs: jittered(20, `${workers} workers`) }, 8)
    hold(got, { perSecond: workers * 50, p50Ms: 100, p99Ms: 150 })
  })

// With one worker four in flight is a queue already, and the least latency that is learned is that of the queue.
test('one worker', async () => {
  const got = await saturate({ workers: 1, serviceMs: jittered(20, '1 worker') }, 30)
  hold(got, { perSecond: 50, p50Ms: 4 * 100, p99Ms: 64 * 25 })
})

test('4 slow workers are not starved', async () => {
  const got = await saturate({ workers: 4, serviceMs: jittered(100, '4 slow workers') }, 60)
  hold(got, { perSecond: 40, p50Ms: 500, p99Ms: 64 * 30 })
})

test('requests of which some take five times as long as others', async () => {
  const random = seeded(runSeed('mixed'))
  const got = await saturate({ workers: 8, serviceMs: () => (random() < 0.25 ? 50 : 10) }, 30)
  hold(got, { perSecond: 400, p50Ms: 100, p99Ms: 250 })
})

test('a stall of five seconds costs those five seconds and no more', async () => {
  const stall = { fromMs: 10_000, toMs: 15_000 }
  const got = await saturate({ workers: 8, serviceMs: jittered(20, 'stall'), stall }, 40)
  hold(got, { perSecond: (400 * 34) / 39, p50Ms: 100, p99Ms: 320 })
})

test('reads of 2 ms before writes of 20 ms do not make the writes look slow', async () => {
  const clock = new ManualClock()
  const limiter = adaptiveLimiter({ clock, maxBytes: 64 * 2 ** 20 })
  let writes = 0
  const move = async (kind: string, server: FakeServer, untilMs: number): Promise<void> => {
    while (clock.monotonicMs() < untilMs) {
      const permit = await limiter.acquire(1, { priority: 'save' })
      const begunMs = clock.monotonicMs()
      await server.serve()
      limiter.observe({ elapsedMs: clock.monotonicMs() - begunMs, outcome: 'ok', kind })
      if (kind === 'put') writes++
      permit.release()
    }
  }
  for (const [kind, serviceMs, untilMs] of [
    ['get', 2, 3000],
    ['put', 20, 13_000],
  ] as const) {
    const server = new FakeServer({ clock, workers: 8, serviceMs: () => serviceMs })
    await clock.run(Promise.all(Array.from({ length: SENDERS }, () => move(kind, server, untilMs))))
  }
  assert.ok(writes >= 0.95 * 4000, `${writes} writes in 10 s, ideal 4000`)
})

test.run()
