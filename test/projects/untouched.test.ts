/** What is remembered of projects that this process unmounted, and until when. */

import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Engine } from '../../daemon/projects/engine.ts'
import type { Resident } from '../../daemon/projects/resident.ts'
import { resident } from '../../daemon/projects/resident.ts'
import { Untouched } from '../../daemon/projects/untouched.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { startEngine } from '../support/engine.ts'
import { type FakeZfs, withFakeZfs } from '../support/fake-zfs.ts'

const test = suite('projects: untouched')
const P = projectId('p1')

/** On the ZFS for which it is there: one that does not count what was written. */
const withClosed = (body: (engine: Engine, there: Resident, world: FakeZfs) => Promise<void>) =>
  withFakeZfs(
    async (world) => {
      const engine = await startEngine(world, memoryStore(), join(world.directory, 'state'))
      try {
        await engine.create(P)
        await engine.save(P)
        await engine.close(P)
        const there = await resident(engine.host, P)
        assert.ok(there)
        await body(engine, there, world)
      } finally {
        await engine.stop()
      }
    },
    { flavour: 'zfs-fuse' },
  )

test('what was closed is untouched for as long as it shows the same, unmounted', () =>
  withClosed(async ({ host: { untouched } }, there) => {
    assert.ok(untouched.is(there))
    const { dataset } = there
    for (const changed of [
      { ...dataset, mounted: true },
      { ...dataset, guid: 'another' },
      { ...dataset, referencedBytes: dataset.referencedBytes + 1n },
      { ...dataset, snapshotBytes: dataset.snapshotBytes + 1n },
    ])
      assert.not(untouched.is({ ...there, dataset: changed } as Resident))
    assert.not(untouched.is({ ...there, snapshots: [] }))
    assert.ok(untouched.is(there))
  }))

test('what is mounted again is forgotten, although it shows the same', () =>
  withClosed(async (engine, there) => {
    await engine.open(P)
    assert.not(engine.host.untouched.is(there))
  }))

test('what has left is forgotten: the next that comes under its name is looked at anew', async () => {
  await withClosed(async (engine, there) => {
    await engine.evict(P)
    assert.not(engine.host.untouched.is(there))
  })
  await withClosed(async (engine, there) => {
    await engine.destroy(P)
    assert.not(engine.host.untouched.is(there))
  })
})

test('to forget what is not known is no error, and one forgotten leaves the others', () =>
  withClosed(async (_engine, there) => {
    const untouched = new Untouched()
    untouched.forget(P)
    const other = { ...there, id: projectId('p2') }
    untouched.note(there)
    untouched.note(other)
    untouched.forget(P)
    assert.not(untouched.is(there))
    assert.ok(untouched.is(other))
  }))

test.run()
