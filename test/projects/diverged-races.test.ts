/** What is known of a project that was taken, where it is closed while the store is asked who has it. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Diverged, type DivergedProject } from '../../daemon/projects/diverged.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import type { Saved } from '../../daemon/projects/save.ts'
import { systemClock } from '../../pipeline/base/clock.ts'
import { guid, newHostId, projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'

const test = suite('projects: diverged races')
const P = projectId('p1')
const TAKER = newHostId()

/** A save whose end is a side point, of a project that `TAKER` owns now. */
const asSide = (point: bigint) =>
  ({ as: 'side', point: guid(point), project: { id: P, statics: { owner: TAKER } } }) as unknown as Saved
const asHead = { as: 'head', point: guid(9n), project: { id: P, statics: {} } } as unknown as Saved

/** Whoever asks for a host waits until `answer` is called. */
function world() {
  const store = memoryStore()
  const waiting: (() => void)[] = []
  const catalogue: typeof store.catalogue = {
    ...store.catalogue,
    readHost: async (host, options) => {
      await new Promise<void>((resolve) => waiting.push(resolve))
      return store.catalogue.readHost(host, options)
    },
  }
  const found: DivergedProject[] = []
  const diverged = new Diverged({
    host: { store: { ...store, catalogue }, clock: systemClock, host: newHostId() } as unknown as ProjectHost,
    idleMs: () => 0,
    leaveAfterMs: 0,
    found: (one) => found.push(one),
    gone: () => {},
    unmounted: async () => {},
  })
  const answer = () => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  return { diverged, found, waiting, answer }
}

test('closed meanwhile, it does not stay diverged when the answer comes', async () => {
  const { diverged, found, answer } = world()
  const noting = diverged.note(P, asSide(1n))
  assert.equal(diverged.all, [])
  diverged.forget(P)
  answer()
  await noting
  assert.equal(diverged.all, [])
  assert.equal(found, [])
})

test('a save that moved the head meanwhile ends it too', async () => {
  const { diverged, found, answer } = world()
  const noting = diverged.note(P, asSide(1n))
  await diverged.note(P, asHead)
  answer()
  await noting
  assert.is(diverged.get(P), undefined)
  assert.equal(found, [])
})

test('two saves at once ask once, and it is told once; a later one moves its point', async () => {
  const { diverged, found, waiting, answer } = world()
  const [first, second] = [diverged.note(P, asSide(1n)), diverged.note(P, asSide(2n))]
  assert.is(waiting.length, 1)
  answer()
  await Promise.all([first, second])
  assert.equal(
    found.map(({ point }) => point),
    [guid(2n)],
  )
  assert.is(diverged.get(P)?.takenBy?.host, TAKER)
  await diverged.note(P, asSide(3n))
  assert.is(diverged.get(P)?.point, guid(3n))
  assert.is(found.length, 1)
})

test('closed, opened anew and diverged again while the first answer is awaited: the newer one is what is known', async () => {
  const { diverged, found, answer } = world()
  const first = diverged.note(P, asSide(1n))
  diverged.forget(P)
  const second = diverged.note(P, asSide(2n))
  answer()
  await Promise.all([first, second])
  assert.is(found.length, 1)
  assert.is(diverged.get(P)?.point, guid(2n))
})

test.run()
