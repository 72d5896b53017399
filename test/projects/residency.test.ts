import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  DEFAULT_RESIDENCY,
  planResidency,
  type ResidencySettings,
  type ResidentFacts,
} from '../../daemon/projects/residency.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { chance, int, runSeed, seeded } from '../support/random.ts'

const test = suite('projects: residency')

const HOUR = 3_600_000

const one = (name: string, facts: Partial<ResidentFacts> = {}): ResidentFacts => ({
  id: projectId(name),
  inUse: false,
  pinned: false,
  idleMs: HOUR,
  usedBytes: 10n,
  ...facts,
})

const used = (bytes: bigint) => ({ usedBytes: bytes, totalBytes: 100n })

test('while there is space everybody stays, and is told so', () => {
  const plan = planResidency([one('a'), one('b', { idleMs: 30 * 24 * HOUR })], used(80n), DEFAULT_RESIDENCY)
  assert.equal(plan.evict, [])
  assert.equal([...plan.stay.values()], ['not-needed', 'not-needed'])
})

test('past the high mark the least recently used leave, down to the low one', () => {
  const residents = [1, 5, 3, 4, 2].map((hours) => one(`h${hours}`, { idleMs: hours * HOUR }))
  const plan = planResidency(residents, used(81n), DEFAULT_RESIDENCY)
  assert.equal(plan.evict, [
    { id: 'h5', why: 'space' },
    { id: 'h4', why: 'space' },
  ])
  assert.is(plan.shortOfBytes, 0n)
  assert.is(plan.stay.size, 3)
})

test('who is in use, pinned or was used lately stays, and what is short then is told', () => {
  const residents = [
    one('busy', { inUse: true, idleMs: 9 * HOUR }),
    one('pinned', { pinned: true, idleMs: 8 * HOUR }),
    one('fresh', { idleMs: 60_000 }),
    one('old', { usedBytes: 5n }),
  ]
  const plan = planResidency(residents, used(90n), DEFAULT_RESIDENCY)
  assert.equal(plan.evict, [{ id: 'old', why: 'space' }])
  assert.equal(Object.fromEntries(plan.stay), { busy: 'in-use', pinned: 'pinned', fresh: 'used-lately' })
  assert.is(plan.shortOfBytes, 15n)
})

test('more than the number that may be there leave; so do those idle for too long', () => {
  const residents = [one('a', { idleMs: 3 * HOUR }), one('b', { idleMs: 2 * HOUR }), one('c')]
  const few = planResidency(residents, used(10n), { ...DEFAULT_RESIDENCY, maxResident: 2 })
  assert.equal(few.evict, [{ id: 'a', why: 'number' }])
  assert.is(few.tooMany, 0)
  const idle = planResidency(residents, used(10n), { ...DEFAULT_RESIDENCY, evictIdleAfterMs: 2 * HOUR })
  assert.equal(idle.evict, [
    { id: 'a', why: 'idle' },
    { id: 'b', why: 'idle' },
  ])
})

test('of equally idle ones the larger leaves first', () => {
  const plan = planResidency([one('small'), one('large', { usedBytes: 40n })], used(85n), DEFAULT_RESIDENCY)
  assert.equal(plan.evict, [{ id: 'large', why: 'space' }])
})

test('sizes past 2^53 are exact', () => {
  const pool = { totalBytes: 2n ** 62n, usedBytes: (2n ** 62n * 8n) / 10n + 2n ** 40n }
  const residents = [one('a', { usedBytes: 2n ** 60n }), one('b', { usedBytes: 1n })]
  assert.equal(
    planResidency(residents, pool, DEFAULT_RESIDENCY).evict.map(({ id }) => id),
    ['a'],
  )
})

test('whatever is there: each has one answer, nobody leaves who is held, and none leaves without need', () => {
  const random = seeded(runSeed('residency'))
  for (let round = 0; round < 2000; round++) {
    const residents = Array.from({ length: int(random, 0, 12) }, (_, index) =>
      one(`r${index}`, {
        inUse: chance(random, 0.2),
        pinned: chance(random, 0.2),
        idleMs: int(random, 0, 3) * HOUR,
        usedBytes: BigInt(int(random, 0, 20)),
      }),
    )
    const settings: ResidencySettings = {
      ...DEFAULT_RESIDENCY,
      ...(chance(random, 0.5) && { maxResident: int(random, 0, 12) }),
      ...(chance(random, 0.5) && { evictIdleAfterMs: int(random, 1, 3) * HOUR }),
    }
    const space = used(BigInt(int(random, 0, 100)))
    const { evict, stay, shortOfBytes, tooMany } = planResidency(residents, space, settings)
    assert.is(evict.length + stay.size, residents.length)
    const gone = residents.filter(({ id }) => evict.some((each) => each.id === id))
    assert.ok(gone.every((each) => !each.inUse && !each.pinned && each.idleMs >= settings.idleGraceMs))
    const freed = gone.reduce((sum, { usedBytes }) => sum + usedBytes, 0n)
    if (space.usedBytes > 80n) assert.ok(shortOfBytes > 0n || space.usedBytes - freed <= 70n)
    else assert.ok(evict.every(({ why }) => why !== 'space'))
    if (settings.maxResident !== undefined) assert.ok(tooMany > 0 || stay.size <= settings.maxResident)
    if (shortOfBytes > 0n || tooMany > 0) assert.ok([...stay.values()].every((why) => why !== 'not-needed'))
  }
})

test.run()
