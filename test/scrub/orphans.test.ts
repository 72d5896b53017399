import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newWriteId, type ProjectId, projectId, type WriteId } from '../../pipeline/base/ids.ts'
import type { StoredEntry } from '../../pipeline/stores/contract.ts'
import { DAY_MS, HOUR_MS, World } from '../support/scrub-world.ts'

const test = suite('scrub: orphans')

async function withOrphans(count = 1, live = 40) {
  const world = await World.make()
  const id = await world.project('p')
  for (let to = 1; to <= live; to++) await world.commit(id, { from: to - 1, to })
  const orphans: WriteId[] = []
  for (let n = 0; n < count; n++) orphans.push(await anOrphan(world, id))
  return { world, id, orphans }
}

async function anOrphan(world: World, project: ProjectId): Promise<WriteId> {
  const row = world.aRow({ to: 99 })
  await world.putChunks(project, row)
  return row.writeId
}

const deep = {
  depth: 'deep',
  apply: true,
  retention: { policy: { latest: 100, hourly: 0, daily: 0, weekly: 0, monthly: 0 } },
} as const
const stored = (world: World, id: WriteId): boolean => world.state.blobs.has(id)

test('goes at the second look, an hour after the first and no sooner', async () => {
  const { world, id, orphans } = await withOrphans()
  const [orphan = newWriteId()] = orphans
  const first = await world.scrub(deep)
  assert.equal(first.kinds, ['orphan none'])
  assert.match(first.findings[0]?.message ?? '', `write ${orphan} of ${id} is not in the catalogue`)
  await world.clock.advance(HOUR_MS - 1)
  assert.equal((await world.scrub(deep)).kinds, ['orphan none'])
  await world.clock.advance(1)
  assert.equal((await world.scrub({ ...deep, apply: false })).kinds, ['orphan would-remove'])
  assert.ok(stored(world, orphan))
  assert.equal((await world.scrub(deep)).kinds, ['orphan done'])
  assert.not(stored(world, orphan))
  assert.is(world.state.blobs.size, 40)
  assert.equal((await world.scrub(deep)).kinds, [])
  assert.equal([...world.state.notes.keys()], [], 'no note stays behind')
})

test('what turns up in the catalogue between the looks stays', async () => {
  const { world, id, orphans } = await withOrphans()
  const project = world.read(id)
  await world.scrub(deep)
  await world.clock.advance(2 * HOUR_MS)
  const row = { ...world.aRow({ from: 40, to: 99 }), writeId: orphans[0] ?? newWriteId() }
  world.state.projects.set(id, { ...project, rows: new Map([...project.rows, [row.writeId, row]]) })
  const stop = new AbortController()
  const alive = world.keepAlive(world.host, stop.signal)
  assert.equal((await world.scrub(deep)).kinds, ['host-watched none'])
  stop.abort()
  await alive
  assert.ok(stored(world, row.writeId))
})

test('also where it turns up in the very run that would remove it', async () => {
  const { world, id, orphans } = await withOrphans()
  await world.scrub(deep)
  await world.clock.advance(2 * HOUR_MS)
  const row = { ...world.aRow({ to: 99 }), writeId: orphans[0] ?? newWriteId(), state: 'committed' as const }
  const blobs = {
    ...world.store.blobs,
    async *stored(options?: object) {
      yield* world.store.blobs.stored(options)
      const project = world.read(id)
      world.state.projects.set(id, { ...project, rows: new Map([...project.rows, [row.writeId, row]]) })
    },
  }
  assert.equal((await world.scrub(deep, { ...world.store, blobs })).kinds, [])
  assert.ok(stored(world, row.writeId))
})

test('chunks that came after their write was deleted go after two looks too', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const row = await world.begin(id, { to: 1 })
  await world.scrub({ apply: true, staleAfterMs: 0 })
  assert.is(world.stateOf(id, row), 'deleted')
  await world.putChunks(id, row)
  // No live bytes at all: the row itself says that they may go, so the brake has no say.
  const options = { ...deep, maxDeleteShare: 0.05 }
  assert.equal((await world.scrub(options)).kinds, ['orphan none'])
  await world.clock.advance(HOUR_MS)
  assert.equal((await world.scrub(options)).kinds, ['orphan done'])
  assert.is(world.chunksOf(row), 0)
})

test('a store whose catalogue was lost keeps everything', async () => {
  const { world } = await withOrphans(0)
  world.state.projects.clear()
  const options = { ...deep, maxDeleteShare: 0.05 }
  assert.is((await world.scrub(options)).kinds.filter((kind) => kind === 'orphan none').length, 40)
  await world.clock.advance(HOUR_MS)
  const { kinds, summary } = await world.scrub(options)
  assert.is(kinds[0], 'stopped-for-safety none')
  assert.ok(summary.stoppedForSafety)
  assert.is(world.state.blobs.size, 40)
})

test('one that lost some of its projects stops at 5 %', async () => {
  const { world } = await withOrphans(3)
  const options = { ...deep, maxDeleteShare: 0.05 }
  await world.scrub(options)
  await world.clock.advance(HOUR_MS)
  assert.ok((await world.scrub(options)).summary.stoppedForSafety)
  assert.is(world.state.blobs.size, 43)
  assert.is((await world.scrub({ ...options, maxDeleteShare: 0.1 })).summary.removals, 3)
  assert.is(world.state.blobs.size, 40)
})

test('a project that can not be read keeps everything, also what was judged before', async () => {
  const { world, id } = await withOrphans(2)
  await world.scrub(deep)
  await world.clock.advance(HOUR_MS)
  const { catalogue } = world.store
  let reads = 0
  const broken = {
    ...catalogue,
    // The survey and the checks read it, and the first orphan's judgement; then it fails.
    read: (...args: Parameters<typeof catalogue.read>) =>
      ++reads > 3 ? Promise.reject(new Error('late')) : catalogue.read(...args),
  }
  const { kinds, summary } = await world.scrub(deep, { ...world.store, catalogue: broken })
  assert.ok(kinds.includes('unchecked none'))
  assert.not(kinds.includes('orphan done'))
  assert.not(summary.complete)
  assert.is(world.state.blobs.size, 42)
  assert.is(world.read(id).rows.size, 40)
})

test('a list that breaks off removes nothing, and the next run goes on where it broke', async () => {
  const { world, orphans } = await withOrphans(2)
  await world.scrub(deep)
  await world.clock.advance(HOUR_MS)
  const seen: string[] = []
  const listing = (breakAfter: number) => ({
    ...world.store.blobs,
    async *stored(options?: object) {
      let count = 0
      for await (const entry of world.store.blobs.stored(options)) {
        if (count++ === breakAfter) throw new Error('the connection broke')
        seen.push(entry.cursor)
        yield entry
      }
    },
  })
  const broken = await world.scrub(deep, { ...world.store, blobs: listing(41) })
  assert.equal(broken.kinds, ['unchecked none'])
  for (const orphan of orphans) assert.ok(stored(world, orphan))
  const next = await world.scrub(deep, { ...world.store, blobs: listing(1000) })
  assert.ok(next.summary.resumed)
  assert.equal(seen, [...new Set(seen)], 'nothing twice')
  assert.is(seen.length, 42)
  await world.scrub(deep)
  for (const orphan of orphans) assert.not(stored(world, orphan))
})

test('what does not say whose it is is told of and never touched', async () => {
  const { world } = await withOrphans(0, 1)
  const stray: StoredEntry = { project: null, writeId: null, what: 'projects/x/notes.txt', cursor: 'x' }
  const removed: StoredEntry[] = []
  const blobs = {
    ...world.store.blobs,
    async *stored() {
      yield stray
    },
    removeStored: async (entry: StoredEntry) => {
      removed.push(entry)
    },
  }
  for (let round = 0; round < 3; round++) {
    assert.equal((await world.scrub(deep, { ...world.store, blobs })).kinds, ['unknown-entry none'])
    await world.clock.advance(DAY_MS)
  }
  assert.equal(removed, [])
})

test('more candidates than are remembered are handled run by run, in notes of bounded size', async () => {
  const { world } = await withOrphans(0, 1)
  const stranger = projectId('stranger')
  const left = new Set<string>()
  for (let n = 0; n < 10_500; n++) left.add(newWriteId())
  const ids = [...left].sort()
  let removed = 0
  const blobs = {
    ...world.store.blobs,
    async *stored({ after = '' }: { after?: string } = {}) {
      yield* world.store.blobs.stored()
      for (const writeId of ids)
        if (left.has(writeId) && writeId > after)
          yield { project: stranger, writeId: writeId as WriteId, what: writeId, cursor: writeId }
    },
    removeStored: async ({ cursor }: StoredEntry) => {
      removed++
      left.delete(cursor)
    },
  }
  const store = { ...world.store, blobs }
  await world.scrub(deep, store)
  for (const note of world.state.notes.values()) assert.ok(note.length < 64 * 1024, String(note.length))
  await world.clock.advance(HOUR_MS)
  await world.scrub(deep, store)
  assert.is(removed, 10_000)
  await world.scrub(deep, store)
  await world.clock.advance(HOUR_MS)
  await world.scrub(deep, store)
  assert.is(left.size, 0)
  assert.equal([...world.state.notes.keys()], [])
})

test.run()
