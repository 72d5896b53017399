import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Finding } from '../../pipeline/scrub/findings.ts'
import type { ScrubProgress } from '../../pipeline/scrub/progress.ts'
import { scrub } from '../../pipeline/scrub/scrub.ts'
import type { ScrubOptions } from '../../pipeline/scrub/settings.ts'
import type { Store, WriteExtent } from '../../pipeline/stores/contract.ts'
import { World } from '../support/scrub-world.ts'

const test = suite('scrub: where it stopped')

const PROJECTS = 6
const WRITES = 5

async function manyWrites() {
  const world = await World.make()
  for (let p = 0; p < PROJECTS; p++) {
    const id = await world.project(`p${p}`)
    for (let to = 1; to <= WRITES; to++) await world.commit(id, { from: to - 1, to, chunks: 2 })
  }
  return world
}

/** Calls back before each look at a write, and lists what was looked at. */
function looking(world: World, before: (count: number) => void = () => {}) {
  const looked: string[] = []
  const store: Store = {
    ...world.store,
    blobs: {
      ...world.store.blobs,
      async *missing(write: WriteExtent, options) {
        before(looked.length)
        options?.signal?.throwIfAborted()
        looked.push(write.writeId)
        yield* world.store.blobs.missing(write, options)
      },
      async open(write, options) {
        before(looked.length)
        options?.signal?.throwIfAborted()
        if (looked.at(-1) !== write.writeId) looked.push(write.writeId)
        return world.store.blobs.open(write, options)
      },
    },
  }
  return { store, looked }
}

const present = { depth: 'present', maxDeleteShare: 1 } as const

test('an abort stops it at once, and the next run looks at the rest and at nothing twice', async () => {
  for (const depth of ['present', 'deep'] as const) {
    const world = await manyWrites()
    const stop = new AbortController()
    const reason = new Error('stop')
    const first = looking(world, (count) => count === 13 && stop.abort(reason))
    const error = await world.scrub({ depth, signal: stop.signal }, first.store).catch((e: unknown) => e)
    assert.is(error, reason)
    assert.is(first.looked.length, 13)
    const second = looking(world)
    const { summary } = await world.scrub({ depth }, second.store)
    assert.ok(summary.resumed)
    assert.is(second.looked.length, PROJECTS * WRITES - 13)
    assert.is(new Set([...first.looked, ...second.looked]).size, PROJECTS * WRITES)
    const third = looking(world)
    assert.not((await world.scrub({ depth }, third.store)).summary.resumed)
    assert.is(third.looked.length, PROJECTS * WRITES, 'a round that is complete begins anew')
  }
})

test('a caller who leaves early leaves the same behind', async () => {
  const world = await manyWrites()
  const [broken] = [...world.state.blobs.values()].slice(7)
  broken?.chunks.delete(0)
  const first = looking(world)
  for await (const finding of scrub(first.store, {
    ...present,
    clock: world.clock,
  }) as AsyncIterable<Finding>)
    if (finding.kind === 'chunk-missing') break
  assert.ok(first.looked.length < PROJECTS * WRITES)
  const second = looking(world)
  const { summary } = await world.scrub(present, second.store)
  assert.ok(summary.resumed)
  assert.is(summary.damagedWrites, 1, 'what the first run found counts for the round')
  assert.is(new Set([...first.looked, ...second.looked]).size, PROJECTS * WRITES)
})

test('a process that is killed repeats no more than what came after its last note', async () => {
  const world = await manyWrites()
  const every: Partial<ScrubOptions> = { ...present, checkpointEveryMs: 0 }
  const killed = looking(world)
  // Nothing runs any more after the kill, no last word either.
  const never = new Promise<never>(() => {})
  const store: Store = {
    ...killed.store,
    catalogue: {
      ...world.store.catalogue,
      writeNote: async (...args) => {
        await world.store.catalogue.writeNote(...args)
        if (killed.looked.length === 17) await never
      },
    },
  }
  const run = world.scrub(every, store)
  run.catch(() => {})
  await world.clock.advance(1)
  const second = looking(world)
  assert.ok((await world.scrub(every, second.store)).summary.resumed)
  assert.is(second.looked.length, PROJECTS * WRITES - 17)
})

test('a note of another layout, of another kind of round, or a damaged one is ignored', async () => {
  const world = await manyWrites()
  const stop = new AbortController()
  const { store } = looking(world, (count) => count === 13 && stop.abort(new Error('stop')))
  await world.scrub({ depth: 'deep', signal: stop.signal }, store).catch(() => {})
  const note = world.state.notes.get('scrub/deep') ?? ''
  assert.match(note, '"layout":1')
  const anew = async (text: string, options: Partial<ScrubOptions> = {}): Promise<boolean> => {
    world.state.notes.set('scrub/deep', text)
    return !(await world.scrub({ depth: 'deep', ...options })).summary.resumed
  }
  assert.ok(await anew(note.replace('"layout":1', '"layout":2')))
  assert.ok(await anew('{'))
  assert.ok(await anew(''))
  assert.ok(await anew(note, { sample: 0.5 }))
  assert.not(await anew(note))
})

test('a note that names a project which is no longer listed begins anew', async () => {
  const world = await manyWrites()
  const stop = new AbortController()
  const { store } = looking(world, (count) => count === 13 && stop.abort(new Error('stop')))
  await world.scrub({ ...present, signal: stop.signal }, store).catch(() => {})
  const note = JSON.parse(world.state.notes.get('scrub/present') ?? '{}')
  world.state.notes.set('scrub/present', JSON.stringify({ ...note, project: 'nobody' }))
  const second = looking(world)
  await world.scrub(present, second.store)
  assert.is(second.looked.length, PROJECTS * WRITES)
})

test('a store that takes no notes is scrubbed all the same', async () => {
  const world = await manyWrites()
  const catalogue = {
    ...world.store.catalogue,
    readNote: () => Promise.reject(new Error('no notes')),
    writeNote: () => Promise.reject(new Error('no notes')),
  }
  const { kinds, summary } = await world.scrub(
    { ...present, checkpointEveryMs: 0 },
    { ...world.store, catalogue },
  )
  assert.ok(kinds.every((kind) => kind === 'unchecked none'))
  assert.not(summary.complete)
})

test('one that can not be written, a read-only one, is looked at as a whole', async () => {
  const world = await manyWrites()
  const writeNote = () => Promise.reject(new Error('read-only'))
  const store = { ...world.store, catalogue: { ...world.store.catalogue, writeNote } }
  const { kinds, summary } = await world.scrub({ ...present, checkpointEveryMs: 0 }, store)
  assert.equal(kinds, ['unchecked none'])
  assert.is(summary.checkedWrites, PROJECTS * WRITES)
})

test('progress is told at every step, and never goes back', async () => {
  const world = await manyWrites()
  const seen: ScrubProgress[] = []
  const { summary } = await world.scrub({ depth: 'deep', onProgress: (progress) => seen.push(progress) })
  assert.equal(
    [...new Set(seen.map(({ phase }) => phase))],
    ['survey', 'checks', 'stored', 'cleaning', 'watching'],
  )
  for (const [index, { projects, chunks, entries }] of seen.entries()) {
    const before = seen[index - 1]
    if (before) assert.ok(projects >= before.projects && chunks >= before.chunks && entries >= before.entries)
  }
  const last = seen.at(-1)
  assert.equal(
    [last?.projects, last?.writes, last?.chunks, last?.readBytes, last?.entries],
    [PROJECTS, 30, 60, summary.readBytes, 30],
  )
})

test.run()
