import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { WriteRow } from '../../pipeline/graph/state.ts'
import { checkPresent } from '../../pipeline/scrub/present.ts'
import type { BlobStore } from '../../pipeline/stores/contract.ts'
import { World } from '../support/scrub-world.ts'

const test = suite('scrub: present')

async function oneWrite(chunks = 5) {
  const world = await World.make()
  const id = await world.project('p')
  const row = await world.commit(id, { to: 1, chunks })
  const stored = world.state.blobs.get(row.writeId)?.chunks ?? new Map()
  return { world, id, row, stored }
}

const withBlobs = (world: World, changes: Partial<BlobStore>) => ({
  ...world.store,
  blobs: { ...world.store.blobs, ...changes },
})

test('a whole write is whole, and costs no look at the project', async () => {
  const { world, id, row } = await oneWrite()
  const catalogue = { ...world.store.catalogue, read: () => Promise.reject(new Error('asked')) }
  const report = await checkPresent({ ...world.store, catalogue }, id, row)
  assert.is(report.outcome, 'whole')
  assert.is(report.chunkCount, 5)
})

test('chunks that are missing or cut short are named; the scrub goes on behind them', async () => {
  const { world, id, row, stored } = await oneWrite()
  const other = await world.commit(id, { from: 1, to: 2 })
  stored.delete(1)
  stored.set(4, { ...stored.get(4), data: Buffer.alloc(3) })
  const { findings, summary } = await world.scrub({ depth: 'present' })
  assert.is(findings.length, 1)
  const [finding] = findings
  assert.ok(finding?.kind === 'chunk-missing')
  assert.equal(
    [finding.project, finding.writeId, finding.chunks, finding.chunkCount],
    [id, row.writeId, [1, 4], 2],
  )
  assert.match(finding.message, 'chunks 1, 4 are missing of write')
  assert.is(summary.damagedWrites, 1)
  assert.is(summary.checkedWrites, 2)
  assert.is(summary.checkedChunks, 5 + other.seqHigh)
})

test('of a write that is gone altogether each chunk is counted and the first hundred are named', async () => {
  const { world, id, row } = await oneWrite(250)
  world.state.blobs.delete(row.writeId)
  const report = await checkPresent(world.store, id, row)
  assert.is(report.missing.count, 250)
  assert.equal(
    report.missing.named,
    Array.from({ length: 100 }, (_, seq) => seq),
  )
})

test('what a careful look finds is late, not missing', async () => {
  const { world, id, row } = await oneWrite()
  const store = withBlobs(world, {
    async *missing() {
      yield 2
    },
  })
  const report = await checkPresent(store, id, row)
  assert.equal([report.outcome, report.lateCount, report.missing.count], ['whole', 1, 0])
  const { kinds, summary } = await world.scrub({ depth: 'present' }, store)
  assert.equal(kinds, ['chunk-late none'])
  assert.is(summary.damagedWrites, 0)
})

test('a write that is no longer committed misses nothing, whenever that happened', async () => {
  for (const when of ['before', 'while'] as const) {
    const { world, id, row, stored } = await oneWrite()
    await world.commit(id, { to: 1, chunks: 1, side: true })
    stored.clear()
    if (when === 'before') await world.supersede(id, row)
    const store = withBlobs(world, {
      open: async (...args) => {
        await world.supersede(id, row)
        return world.store.blobs.open(...args)
      },
    })
    assert.is((await checkPresent(store, id, row)).outcome, 'gone', when)
  }
})

test('a store that can not look says so: nothing is called missing', async () => {
  const { world } = await oneWrite()
  const store = withBlobs(world, {
    // biome-ignore lint/correctness/useYield: it fails before it could
    async *missing() {
      throw new TidepoolError('store-gone', 'not mounted', { hint: 'Mount it.' })
    },
  })
  const { findings, summary } = await world.scrub({ depth: 'present' }, store)
  assert.equal(
    findings.map(({ kind, hint }) => [kind, hint]),
    [['unchecked', 'Mount it.']],
  )
  assert.not(summary.complete)
  assert.is(summary.damagedWrites, 0)
})

test('a manifest that is not there or does not add up is damage', async () => {
  const { world, id, row } = await oneWrite()
  const project = world.read(id)
  const set = (changed: Partial<WriteRow>) =>
    world.state.projects.set(id, { ...project, rows: new Map([[row.writeId, { ...row, ...changed }]]) })
  const { manifest } = row
  assert.ok(manifest)
  for (const changed of [
    { manifest: null },
    { manifest: { ...manifest, chunkCount: 4 } },
    { manifest: { ...manifest, bytes: 1n } },
    { chunkBytes: 128 },
  ]) {
    set(changed)
    const { kinds } = await world.scrub({ depth: 'present' })
    assert.equal(kinds, ['manifest-unreadable none'], JSON.stringify(Object.keys(changed)))
  }
})

test('a head that nothing leads to is damage', async () => {
  const { world, id, row } = await oneWrite()
  const project = world.read(id)
  world.state.projects.set(id, {
    ...project,
    rows: new Map([[row.writeId, { ...row, state: 'superseded' as const }]]),
  })
  const { kinds } = await world.scrub({ depth: 'present', apply: true, supersededGraceMs: 0 })
  assert.equal(kinds, ['head-unreachable none'])
  assert.is(world.chunksOf(row), 5, 'and what may mend it stays')
})

test.run()
