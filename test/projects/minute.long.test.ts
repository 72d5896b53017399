import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { unsavedOf } from '../../daemon/control/unsaved.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { startEngine } from '../support/engine.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { within } from '../support/within.ts'

const test = suite('projects: nobody loses more than a minute')

const WRITERS = 20
const STEP_MS = 3000
const LAST_MS = 150_000

test('twenty who write all the time, and never has the store less than all but their last 90 s', () =>
  withFakeZfs(async (world) => {
    const clock = new ManualClock()
    const engine = await startEngine(world, memoryStore(), join(world.directory, 'state'), { clock })
    const ids = Array.from({ length: WRITERS }, (_, n) => projectId(`w${n}`))
    const paths: string[] = []
    for (const id of ids) paths.push((await engine.create(id)).path)
    const saved = new Set<string>()
    let oldestMs = 0
    while (clock.monotonicMs() < LAST_MS) {
      for (const path of paths) await appendFile(join(path, 'log'), `${clock.monotonicMs()}\n`)
      await clock.advance(STEP_MS)
      // The commands run in real time, of which this clock knows nothing.
      await within(60_000, () => ids.every((id) => !engine.saves.state(id)?.saving))
      const unsaved = unsavedOf(engine, await engine.residents())
      oldestMs = Math.max(oldestMs, unsaved.oldestMs)
      assert.equal(engine.saves.failing, [])
      for (const id of ids) if ((engine.saves.state(id)?.savedUpToMs ?? 0) > 60_000) saved.add(id)
    }
    assert.ok(oldestMs > 0 && oldestMs <= 90_000, `${oldestMs} ms`)
    assert.is(saved.size, WRITERS, 'each was saved a second time')
    await engine.stop()
  }))

test.run()
