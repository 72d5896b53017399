import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { removeEnded } from '../../pipeline/graph/removal.ts'
import { World } from '../support/scrub-world.ts'

const test = suite('removal')

test('a write that may still be read or committed keeps its chunks, whatever the caller believes', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const committed = await world.commit(id, { to: 1 })
  const writing = await world.begin(id, { from: 1, to: 2 })
  const superseded = await world.commit(id, { to: 1, side: true })
  await world.supersede(id, superseded)
  for (const { writeId } of [committed, writing, superseded]) {
    const row = world.row(id, { writeId })
    assert.ok(row)
    const error = await removeEnded(world.store, id, row).catch((e: unknown) => e)
    assert.is(codeOf(error), 'write-not-ended')
    assert.is(world.chunksOf(row), 3)
  }
})

test('may be done twice, and by two at once', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const row = await world.begin(id, { to: 1 })
  await world.abort(id, row)
  const aborted = world.row(id, row)
  assert.ok(aborted)
  await Promise.all([removeEnded(world.store, id, aborted), removeEnded(world.store, id, aborted)])
  await removeEnded(world.store, id, aborted)
  assert.is(world.stateOf(id, row), 'deleted')
  assert.is(world.chunksOf(row), 0)
})

test.run()
