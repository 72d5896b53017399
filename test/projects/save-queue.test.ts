import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SaveQueue, type SaveQueueOptions } from '../../daemon/projects/save-queue.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'
import { int, runSeed, seeded } from '../support/random.ts'

const test = suite('projects: save queue')

const P = projectId('p')

interface Saved {
  readonly id: ProjectId
  readonly atMs: number
}

/** A queue at work, with what it saved and when. */
async function working(
  body: (world: {
    queue: SaveQueue
    clock: ManualClock
    saves: Saved[]
    stop: () => Promise<void>
  }) => Promise<void>,
  {
    save = async () => undefined,
    ...options
  }: Partial<Omit<SaveQueueOptions, 'save'>> & {
    save?: (id: ProjectId, signal: AbortSignal, clock: ManualClock, begins: () => void) => Promise<unknown>
  } = {},
): Promise<void> {
  const clock = new ManualClock()
  const saves: Saved[] = []
  const queue = new SaveQueue({
    random: () => 0,
    ...options,
    clock,
    save: async (id, signal, begins) => {
      saves.push({ id, atMs: clock.monotonicMs() })
      const upToMs = await save(id, signal, clock, begins)
      return typeof upToMs === 'number' ? upToMs : undefined
    },
  })
  const ending = new AbortController()
  const ran = queue.run(ending.signal)
  const stop = async (): Promise<void> => {
    ending.abort(new Error('stopped'))
    await ran
  }
  try {
    await body({ queue, clock, saves, stop })
  } finally {
    // Saves that are deaf to their signal end only as time goes on.
    await clock.run(stop())
  }
  assert.is(clock.pendingSleeps, 0)
}

const times = (saves: readonly Saved[]): number[] => saves.map(({ atMs }) => atMs)

test('one that was all saved at an earlier moment is due again a minute after that', () => {
  const behindMs = 15_000
  return working(
    async ({ queue, clock, saves }) => {
      queue.watch(P)
      const beganMs = clock.monotonicMs()
      for (let second = 0; second < 300; second++) {
        await clock.advance(1000)
        await settle()
        assert.ok(queue.longestUnsavedMs <= 60_000, `${queue.longestUnsavedMs} ms are unsaved`)
      }
      assert.equal(
        times(saves).map((atMs) => atMs - beganMs),
        [60_000, 105_000, 150_000, 195_000, 240_000, 285_000],
      )
    },
    { save: async (_id, _signal, clock) => clock.monotonicMs() - behindMs },
  )
})

test('an answer for long ago does not make it due at once', () =>
  working(
    async ({ queue, clock, saves }) => {
      queue.watch(P)
      for (let second = 0; second < 120; second++) {
        await clock.advance(1000)
        await settle()
      }
      assert.is(saves.length, 3)
    },
    { save: async () => 0 },
  ))

test('saves each interval, as long as it is watched', () =>
  working(async ({ queue, clock, saves }) => {
    queue.watch(P)
    await clock.advance(200_000)
    assert.equal(times(saves), [60_000, 120_000, 180_000])
    assert.is(queue.state(P)?.savedUpToMs, 180_000)
    assert.is(queue.longestUnsavedMs, 20_000)
    queue.forget(P)
    await clock.advance(200_000)
    assert.is(saves.length, 3)
    assert.is(queue.state(P), undefined)
  }))

test('jitter makes it sooner, never later', () =>
  working(
    async ({ queue, clock, saves }) => {
      queue.watch(P)
      await clock.advance(100_000)
      assert.equal(times(saves), [54_000])
    },
    { random: () => 0.5 },
  ))

test('many that are due one after another are looked at together, four times a second at most', () =>
  working(
    async ({ queue, clock, saves }) => {
      for (let index = 0; index < 500; index++) queue.watch(projectId(`p${index}`))
      await clock.advance(300_000)
      const moments = [...new Set(times(saves))]
      assert.ok(saves.length > 2 * moments.length, `${saves.length} at ${moments.length} moments`)
      for (const [index, atMs] of moments.slice(1).entries())
        assert.ok(atMs - (moments[index] ?? 0) >= 250, `${moments[index]} and ${atMs}`)
      assert.ok(queue.longestUnsavedMs <= 60_250, `${queue.longestUnsavedMs} ms are unsaved`)
    },
    { random: seeded(runSeed('many due')), save: async (_id, _signal, clock) => clock.monotonicMs() },
  ))

test('after a long save it is quiet for twice as long', () =>
  working(
    async ({ queue, clock, saves }) => {
      queue.watch(P)
      await clock.advance(400_000)
      assert.equal(times(saves), [60_000, 180_000, 300_000])
    },
    { save: (_id, signal, clock) => clock.sleep(40_000, signal) },
  ))

test('what it waited for others is no work of its own, and holds nothing back', () => {
  let waits = true
  return working(
    async ({ queue, clock, saves }) => {
      queue.watch(P)
      await clock.advance(400_000)
      assert.equal(times(saves), [60_000, 320_000, 380_000])
      assert.is(queue.state(P)?.savedUpToMs, 380_000)
    },
    {
      save: async (_id, signal, clock, begins) => {
        if (waits) await clock.sleep(200_000, signal)
        if (waits) begins()
        await clock.sleep(waits ? 10_000 : 1, signal)
        waits = false
      },
    },
  )
})

test('one that hangs and fails is tried again by the delays, and what it took is forgotten', () => {
  let hangs = true
  return working(
    async ({ queue, clock, saves }) => {
      queue.watch(P)
      await clock.advance(800_000)
      assert.equal(times(saves), [60_000, 661_000, 721_000, 781_000])
    },
    {
      save: async (_id, signal, clock) => {
        if (!hangs) return
        await clock.sleep(600_000, signal)
        hangs = false
        throw new Error('the store is away')
      },
    },
  )
})

test('a save that fails is tried until it succeeds, and says why meanwhile', () => {
  let left = 3
  return working(
    async ({ queue, clock, saves }) => {
      queue.watch(P)
      await clock.advance(61_500)
      assert.is(queue.state(P)?.failures, 2)
      assert.match(String(queue.state(P)?.error), 'the store is away')
      assert.is(queue.state(P)?.nextAtMs, 62_000)
      assert.is(queue.state(P)?.savedUpToMs, 0)
      await clock.advance(30_000)
      assert.equal(times(saves), [60_000, 61_000, 62_000, 63_000])
      assert.equal([queue.state(P)?.failures, queue.state(P)?.error], [0, undefined])
      assert.is(queue.state(P)?.savedUpToMs, 63_000)
    },
    {
      save: async () => {
        if (left-- > 0) throw new Error('the store is away')
      },
    },
  )
})

test('no more are under way than it is told, and who waits longest comes first', () => {
  let now = 0
  let most = 0
  return working(
    async ({ queue, clock, saves }) => {
      const ids = Array.from({ length: 6 }, (_, index) => projectId(`p${index}`))
      for (const id of ids) {
        queue.watch(id)
        await clock.advance(1)
      }
      await clock.advance(100_000)
      assert.is(most, 2)
      assert.equal(
        saves.map(({ id }) => id),
        ids,
      )
    },
    {
      save: async (_id, signal, clock) => {
        most = Math.max(most, ++now)
        await clock.sleep(1_000, signal)
        now -= 1
      },
    },
  )
})

test('who is in a hurry goes at once, and a forgotten one is ended in its middle', () => {
  let ended = false
  return working(
    async ({ queue, clock, saves }) => {
      queue.watch(P)
      await clock.advance(5)
      queue.hurry(P)
      await settle()
      assert.equal(times(saves), [5])
      assert.ok(queue.state(P)?.saving)
      assert.is(queue.state(P)?.nextAtMs, undefined)
      queue.forget(P)
      await settle()
      assert.ok(ended)
    },
    {
      save: async (_id, signal, clock) => {
        await clock.sleep(1000, signal).catch((error: unknown) => {
          ended = true
          throw error
        })
      },
    },
  )
})

test('forgotten and watched again it has never two saves under way, however slowly the first one ends', () => {
  let under = 0
  let most = 0
  return working(
    async ({ queue, clock, saves }) => {
      queue.watch(P)
      queue.hurry(P)
      await settle()
      queue.forget(P)
      queue.watch(P)
      queue.hurry(P)
      await clock.advance(4_000)
      assert.is(saves.length, 1, 'the second waits for the end of the first')
      assert.is(queue.state(P)?.saving, false)
      await clock.advance(10_000)
      assert.equal(times(saves), [0, 5_000])
      assert.is(most, 1)
    },
    {
      // Deaf to its signal for a while, as a command that is being ended is.
      save: async (_id, _signal, clock) => {
        most = Math.max(most, ++under)
        await clock.sleep(5_000)
        under -= 1
      },
    },
  ).then(() => assert.is(under, 0))
})

test('a stop ends what is under way before it resolves', () => {
  let under = 0
  return working(
    async ({ queue, clock, stop }) => {
      queue.watch(P)
      await clock.advance(60_000)
      assert.is(under, 1)
      await stop()
      assert.is(under, 0)
    },
    {
      save: async (_id, signal, clock) => {
        under += 1
        await clock.sleep(30_000, signal).finally(() => {
          under -= 1
        })
      },
    },
  )
})

test('with twenty writers and saves of up to a second nothing stays unsaved for more than 90 s', () => {
  const random = seeded(runSeed('save queue'))
  return working(
    async ({ queue, clock, saves }) => {
      for (let index = 0; index < 20; index++) queue.watch(projectId(`w${index}`))
      let longestMs = 0
      for (let step = 0; step < 600; step++) {
        await clock.advance(1000)
        longestMs = Math.max(longestMs, queue.longestUnsavedMs)
      }
      assert.ok(longestMs <= 90_000, `${longestMs} ms`)
      assert.ok(saves.length >= 20 * 9)
    },
    { random, save: (_id, signal, clock) => clock.sleep(int(random, 10, 1000), signal) },
  )
})

test('with twenty writers whose saves take so long that their places are too few, they get more', () => {
  const random = seeded(runSeed('slow saves'))
  let under = 0
  let most = 0
  return working(
    async ({ queue, clock }) => {
      for (let index = 0; index < 20; index++) queue.watch(projectId(`w${index}`))
      let longestMs = 0
      for (let step = 0; step < 900; step++) {
        await clock.advance(1000)
        longestMs = Math.max(longestMs, queue.longestUnsavedMs)
      }
      assert.ok(longestMs <= 90_000, `${longestMs} ms`)
      assert.ok(most > 2 && most <= 8, `${most} at once`)
    },
    {
      random,
      save: async (_id, signal, clock) => {
        most = Math.max(most, ++under)
        await clock.sleep(int(random, 8_000, 12_000), signal).finally(() => under--)
      },
    },
  )
})

test('saves that never settle are told of, and the others do not wait for them', () => {
  const deaf = [projectId('d0'), projectId('d1')]
  const end = new AbortController()
  return working(
    async ({ queue, clock }) => {
      const others = Array.from({ length: 20 }, (_, index) => projectId(`w${index}`))
      for (const id of [...deaf, ...others]) queue.watch(id)
      let longestMs = 0
      for (let step = 0; step < 900; step++) {
        await clock.advance(1000)
        for (const id of others)
          longestMs = Math.max(longestMs, clock.monotonicMs() - (queue.state(id)?.savedUpToMs ?? 0))
      }
      assert.ok(longestMs <= 90_000, `${longestMs} ms`)
      assert.equal(
        [...queue.slow].sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ id, forMs }) => [id, forMs > 300_000]),
        deaf.map((id) => [id, true]),
      )
      end.abort(new Error('the end of the test'))
    },
    {
      random: seeded(runSeed('deaf saves')),
      save: async (id, signal, clock) => {
        if (deaf.includes(id)) await clock.sleep(1e9, end.signal).catch(() => {})
        else await clock.sleep(1000, signal)
      },
    },
  )
})

test('what an earlier process has watched is saved soon, for nobody knows what it had saved', () =>
  working(async ({ queue, clock, saves }) => {
    queue.watch(P, { found: true })
    assert.is(queue.longestUnsavedMs, 60_000)
    await clock.advance(15_000)
    assert.is(saves.length, 1)
    assert.is(queue.longestUnsavedMs, 15_000)
  }))

test('a shorter interval holds for those that wait already', () =>
  working(
    async ({ queue, clock, saves }) => {
      queue.watch(P)
      await clock.advance(1000)
      queue.reconfigure({ intervalMs: 10_000, atOnce: 1 })
      await clock.advance(25_000)
      assert.equal(times(saves), [11_000, 21_000])
    },
    { intervalMs: 3_600_000 },
  ))

test.run()
