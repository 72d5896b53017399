import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { WriteRow } from '../../pipeline/graph/state.ts'
import { destroyProject, startPurge, undeleteProject } from '../../pipeline/graph/transitions/life.ts'
import { touchProject } from '../../pipeline/graph/transitions/owner.ts'
import { DAY_MS, HOUR_MS, World } from '../support/scrub-world.ts'

const test = suite('scrub: tidying up')

/** Two ways to the same point, the dearer one needed by nobody: a step costs less than another full. */
async function twoWays(world: World): Promise<{ id: ProjectId; dear: WriteRow; cheap: WriteRow }> {
  const id = await world.project('p')
  const cheap = await world.commit(id, { to: 1, chunks: 2 })
  const dear = await world.commit(id, { to: 1, chunks: 9, side: true })
  return { id, dear, cheap }
}

test('what no kept point needs is superseded, keeps its chunks for a day, then goes; its row goes a month later', async () => {
  const world = await World.make()
  const { id, dear, cheap } = await twoWays(world)
  assert.equal((await world.scrub()).kinds, ['superfluous-write would-supersede'])
  assert.is(world.stateOf(id, dear), 'committed')

  assert.equal((await world.scrub({ apply: true })).kinds, ['superfluous-write done'])
  assert.is(world.stateOf(id, dear), 'superseded')
  await world.clock.advance(DAY_MS - 1)
  assert.equal((await world.scrub({ apply: true })).kinds, [])
  assert.is(world.chunksOf(dear), 9)

  await world.clock.advance(1)
  assert.equal((await world.scrub()).kinds, ['superseded-expired would-remove'])
  const { kinds, summary } = await world.scrub({ apply: true })
  assert.equal(kinds, ['superseded-expired done'])
  assert.is(world.stateOf(id, dear), 'deleted')
  assert.is(world.chunksOf(dear), 0)
  assert.is(summary.removedBytes, dear.manifest?.bytes)

  await world.clock.advance(30 * DAY_MS)
  assert.equal((await world.scrub()).kinds, ['row-expired would-forget'])
  assert.equal((await world.scrub({ apply: true })).kinds, ['row-expired done'])
  assert.is(world.row(id, dear), undefined)
  assert.is(world.stateOf(id, cheap), 'committed')
  assert.is(world.chunksOf(cheap), 2)
})

test('superseding gives way to a save of the same project', async () => {
  const world = await World.make()
  const { id, dear } = await twoWays(world)
  await world.begin(id, { from: 1, to: 2 })
  const stop = new AbortController()
  const alive = world.keepAlive(world.host, stop.signal)
  const { kinds } = await world.scrub({ apply: true })
  stop.abort()
  await alive
  assert.equal(kinds, ['host-watched none'])
  assert.is(world.stateOf(id, dear), 'committed')
})

test('a refused transaction is left for the next run', async () => {
  const world = await World.make()
  const { id, dear } = await twoWays(world)
  const { catalogue } = world.store
  // Somebody moves the project between the read and the transaction.
  const store = {
    ...world.store,
    catalogue: {
      ...catalogue,
      apply: async (transaction: Parameters<typeof catalogue.apply>[0]) => {
        if (transaction.what.startsWith('superseding')) await catalogue.apply(touchProject(world.read(id)))
        return catalogue.apply(transaction)
      },
    },
  }
  assert.equal((await world.scrub({ apply: true }, store)).kinds, ['superfluous-write none'])
  assert.is(world.stateOf(id, dear), 'committed')
  assert.equal((await world.scrub({ apply: true })).kinds, ['superfluous-write done'])
})

test('what a crash left between the transaction and the last chunk is finished', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const base = await world.commit(id, { to: 1 })
  const aborted = await world.begin(id, { from: 1, to: 2 })
  await world.abort(id, aborted)
  await world.store.catalogue.forgetWriting(aborted.host, aborted.writeId)
  const going = await world.commit(id, { from: 1, to: 3, side: true })
  await world.supersede(id, going)
  await world.markDeleting(id, going)
  assert.equal((await world.scrub()).kinds, [
    'unfinished-removal would-remove',
    'unfinished-removal would-remove',
  ])
  const { kinds } = await world.scrub({ apply: true, maxDeleteShare: 0 })
  assert.equal(kinds, ['unfinished-removal done', 'unfinished-removal done'])
  for (const row of [aborted, going]) {
    assert.is(world.stateOf(id, row), 'deleted')
    assert.is(world.chunksOf(row), 0)
  }
  assert.is(world.chunksOf(base), 3)
})

test('a destroyed project stays for its window, then it is purged; it can be had back until then', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const rows = [await world.commit(id, { to: 1 }), await world.commit(id, { from: 1, to: 2 })]
  await world.apply(destroyProject(world.read(id), world.clock.wallMs()))
  await world.clock.advance(30 * DAY_MS - 1)
  assert.equal((await world.scrub({ apply: true })).kinds, [])
  await world.apply(undeleteProject(world.read(id), world.clock.wallMs()))
  await world.apply(destroyProject(world.read(id), world.clock.wallMs()))
  await world.clock.advance(30 * DAY_MS)
  assert.equal((await world.scrub()).kinds, ['project-expired would-purge'])
  assert.equal((await world.scrub({ apply: true })).kinds, ['project-expired done'])
  assert.is(world.read(id).statics.life, 'purged')
  for (const row of rows) assert.is(world.chunksOf(row), 0)
})

test('a purge that was begun is ended, whatever the brake says: it was decided before', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const row = await world.commit(id, { to: 1 })
  await world.apply(destroyProject(world.read(id), world.clock.wallMs()))
  await world.apply(startPurge(world.read(id), world.clock.wallMs()))
  assert.equal((await world.scrub({ apply: true, maxDeleteShare: 0 })).kinds, ['unfinished-purge done'])
  assert.is(world.chunksOf(row), 0)
})

test('a damaged project keeps every other way to its points until it is whole again', async () => {
  const world = await World.make()
  const { id, dear, cheap } = await twoWays(world)
  await world.supersede(id, dear)
  await world.clock.advance(2 * DAY_MS)
  const chunks = world.state.blobs.get(cheap.writeId)?.chunks
  const lost = chunks?.get(1)
  chunks?.delete(1)
  assert.equal((await world.scrub({ depth: 'present', apply: true })).kinds, ['chunk-missing none'])
  assert.equal((await world.scrub({ apply: true })).kinds, [], 'another run knows of it')
  assert.is(world.chunksOf(dear), 9)
  if (lost) chunks?.set(1, lost)
  assert.equal((await world.scrub({ depth: 'present', apply: true })).kinds, [])
  assert.equal((await world.scrub({ apply: true })).kinds, ['superseded-expired done'])
})

test('a project of which something could not be looked at keeps everything in that run', async () => {
  const world = await World.make()
  const { id, dear, cheap } = await twoWays(world)
  await world.supersede(id, dear)
  await world.clock.advance(2 * DAY_MS)
  const blobs = {
    ...world.store.blobs,
    // biome-ignore lint/correctness/useYield: it fails before it could
    async *missing() {
      throw new Error('the disk does not answer')
    },
  }
  const { findings } = await world.scrub({ depth: 'present', apply: true }, { ...world.store, blobs })
  assert.equal(
    findings.map(({ kind, writeId }) => [kind, writeId]),
    [['unchecked', cheap.writeId]],
  )
  assert.is(world.chunksOf(dear), 9)
  assert.equal((await world.scrub({ depth: 'present', apply: true })).kinds, ['superseded-expired done'])
})

test("where the store's nodes disagree about the time, nothing is over", async () => {
  const world = await World.make()
  const { id, dear } = await twoWays(world)
  await world.supersede(id, dear)
  await world.clock.advance(31 * DAY_MS + HOUR_MS)
  const catalogue = { ...world.store.catalogue, nowMs: () => Promise.reject(new Error('clocks differ')) }
  const { kinds, summary } = await world.scrub({ depth: 'deep', apply: true }, { ...world.store, catalogue })
  assert.equal(kinds, ['unchecked none', 'unchecked none'], 'of the time, and of all that is stored')
  assert.not(summary.complete)
  assert.is(summary.checkedWrites, 1, 'what needs no time is looked at')
  assert.is(world.chunksOf(dear), 9)
})

test.run()
