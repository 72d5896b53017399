import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EXPECTED, endState, guarded, messyWorld, scrubbed, toTheEnd } from '../support/scrub-messy.ts'

const test = suite('scrub')

test('the store ends with exactly what is committed or in progress', async () => {
  assert.equal(await toTheEnd(await messyWorld()), EXPECTED)
})

test('without being told to apply it changes nothing but its notes', async () => {
  const messy = await messyWorld()
  const before = endState(messy) as object
  const { findings } = await scrubbed(messy, messy.world.store, { apply: false })
  assert.ok(findings.length > 8)
  assert.not(findings.some(({ action }) => action === 'done'))
  const after = endState(messy) as object
  assert.equal({ ...after, notes: [] }, before)
})

test('a dry run says what the run after it does', async () => {
  const messy = await messyWorld()
  const dry = await scrubbed(messy, messy.world.store, { apply: false })
  const real = await scrubbed(messy, guarded(messy))
  const ofAll = (kinds: readonly string[]) => kinds.map((kind) => kind.split(' ')[0]).sort()
  // What was aborted and not removed is found by its row when nothing is done, by its entry when it is.
  const same = (kinds: readonly string[]) =>
    ofAll(kinds).filter((kind) => !/^(stale|unfinished-rem)/.test(kind ?? ''))
  assert.equal(same(real.kinds), same(dry.kinds))
})

test('two at once do no harm, and do everything once', async () => {
  const messy = await messyWorld()
  const runs = await messy.world.clock.run(
    Promise.all([scrubbed(messy, guarded(messy)), scrubbed(messy, guarded(messy))]),
  )
  for (const { summary } of runs) assert.ok(summary.complete)
  assert.equal(await toTheEnd(messy), EXPECTED)
})

test('the summary counts what was done', async () => {
  const messy = await messyWorld()
  const { summary, findings } = await scrubbed(messy, guarded(messy))
  assert.is(summary.depth, 'deep')
  assert.ok(summary.applied && summary.complete)
  assert.is(summary.projects, 4)
  assert.is(summary.checkedWrites, 5)
  assert.is(summary.checkedChunks, 20)
  assert.is(summary.findings['stale-write'], findings.filter(({ kind }) => kind === 'stale-write').length)
  assert.ok(summary.chunksPerSecond > 0 && summary.bytesPerSecond > 0)
})

test.run()
