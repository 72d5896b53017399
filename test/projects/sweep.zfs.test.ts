/** Who is in a project shows only in the mounts of a kernel. */
import { open as openFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { startEngine } from '../support/engine.ts'
import { withPool } from '../support/zfs-pool.ts'

const test = suite('projects: sweep of a real pool')
const never = new AbortController().signal

test('more than may stay: those leave that were not used for the longest, and each of the others has its reason', () =>
  withPool(async (world) => {
    const residency = { maxResident: 1, highWatermark: 1, lowWatermark: 1, idleGraceMs: 0 }
    const engine = await startEngine(world, memoryStore(), join(world.directory, 'state'), { residency })
    const [a, b, c] = [projectId('a'), projectId('b'), projectId('c')]
    const paths = new Map<string, string>()
    for (const id of [a, b, c]) paths.set(id, (await engine.create(id)).path)
    await writeFile(join(paths.get(b) as string, 'file'), 'not saved yet')
    engine.access.used(c)
    // Somebody is in the one that would be the first to leave.
    const held = await openFile(join(paths.get(a) as string, 'file'), 'w')
    const first = await engine.sweeper.sweep(never)
    await held.close()
    assert.equal(first.evicted, [
      { id: b, why: 'number' },
      { id: c, why: 'number' },
    ])
    assert.is(first.stay.get(a), 'in-use')
    assert.equal(
      (await engine.residents()).map(({ id }) => id),
      [a],
    )
    const opened = await engine.open(b)
    assert.ok(opened.receivedStreams > 0, 'what was not saved yet was saved before it left')
    await engine.stop()
  }))

test.run()
