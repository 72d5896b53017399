import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Budget } from '../../pipeline/scrub/budget.ts'
import { DAY_MS, World } from '../support/scrub-world.ts'

const test = suite('scrub: the brake')

test('allows its share of the live bytes and no byte more, also of sizes past 2^53', () => {
  const budget = new Budget(0.05)
  budget.addLive(2n ** 60n)
  const allowed = 2n ** 60n / 20n
  assert.is(budget.allowedBytes, allowed)
  budget.want(allowed)
  assert.not(budget.isExceeded)
  assert.ok(budget.take(allowed))
  assert.not(budget.take(1n))
  budget.want(1n)
  assert.ok(budget.isExceeded)
})

test('a share of 1 is no brake, and what was not measured whole allows nothing', () => {
  const budget = new Budget(1)
  budget.want(5n)
  assert.not(budget.isExceeded)
  assert.ok(budget.take(5n))
  budget.close()
  assert.not(budget.take(1n))
  assert.throws(() => new Budget(1.01))
  assert.throws(() => new Budget(Number.NaN))
})

/** 20 writes of equal size, and `extra` superseded ones whose grace is over. */
async function twentyAnd(extra: number): Promise<World> {
  const world = await World.make()
  const id = await world.project('p')
  for (let to = 1; to <= 20; to++) await world.commit(id, { from: to - 1, to, chunks: 4 })
  for (let n = 0; n < extra; n++)
    await world.supersede(id, await world.commit(id, { from: 1, to: 2, chunks: 4, side: true }))
  await world.clock.advance(2 * DAY_MS)
  return world
}

const retention = { policy: { latest: 100, hourly: 0, daily: 0, weekly: 0, monthly: 0 } }

test('exactly 5 % of the live bytes may go in one run', async () => {
  const world = await twentyAnd(1)
  const { kinds, summary } = await world.scrub({ apply: true, maxDeleteShare: 0.05, retention })
  assert.equal(kinds, ['superseded-expired done'])
  assert.not(summary.stoppedForSafety)
})

test('above nothing goes, not even what alone would be allowed, nor what never was committed', async () => {
  const world = await twentyAnd(2)
  const host = await world.newHost('put', { bootId: 'here', pid: 1, startTicks: 1n })
  await world.begin(world.read([...world.state.projects.keys()][0]!).id, { from: 20, to: 21, host })
  const before = structuredClone([...world.state.blobs.keys()])
  const { kinds, summary } = await world.scrub({ apply: true, maxDeleteShare: 0.05, retention })
  assert.equal(kinds, [
    'stopped-for-safety none',
    'stale-write would-abort',
    'superseded-expired would-remove',
    'superseded-expired would-remove',
  ])
  assert.ok(summary.stoppedForSafety)
  assert.is(summary.removals, 0)
  assert.equal([...world.state.blobs.keys()], before)

  const told = await world.scrub({ apply: true, maxDeleteShare: 0.1, retention })
  assert.not(told.summary.stoppedForSafety)
  assert.is(told.summary.removals, 3)
})

test('writes that never were committed do not count: nobody could ever have read them', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const host = await world.newHost('put', { bootId: 'here', pid: 1, startTicks: 1n })
  await world.begin(id, { to: 1, chunks: 50, host })
  assert.equal((await world.scrub({ apply: true, maxDeleteShare: 0.05 })).kinds, ['stale-write done'])
})

test('a list of projects that breaks off allows nothing to be taken', async () => {
  const world = await twentyAnd(1)
  const { catalogue } = world.store
  const broken = {
    ...catalogue,
    async *projects() {
      yield* catalogue.projects()
      throw new Error('the connection broke')
    },
  }
  const { kinds, summary } = await world.scrub(
    { apply: true, retention },
    { ...world.store, catalogue: broken },
  )
  assert.equal(kinds, ['unchecked none', 'superseded-expired none'])
  assert.not(summary.complete)
})

test.run()
