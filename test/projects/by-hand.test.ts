/** Snapshots that somebody else makes, at the worst of moments: between the reads of one look at a dataset. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { save } from '../../daemon/projects/save.ts'
import { snapshot } from '../../native/zfs/dataset.ts'
import { snapshotOf } from '../../native/zfs/names.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { projectHost } from '../support/project-host.ts'

const test = suite('projects: a snapshot by hand while it is looked at')
const P = projectId('p1')

for (const [which, match] of [
  ['the dataset', '^zfs get -Hp -o \\S+ \\S+ tank/projects/p1$'],
  ['its snapshots', '^zfs get -Hp -r -d 1 -t snapshot .*tank/projects/p1$'],
] as const)
  test(`what it hides is saved all the same, where ${which} answers late`, () =>
    withFakeZfs(async (fake) => {
      const host = await projectHost(fake, memoryStore())
      const { path } = await createProjectHere(host, P)
      const first = await save(host, P)
      await fake.calls()
      await fake.faults({ match, delayMs: 700, times: 1 })
      const saving = save(host, P, { quick: true })
      // Both reads are under way, where they are made at once; the late one sees what comes now.
      await sleep(350)
      await writeFile(join(path, 'file'), 'hidden')
      await snapshot(host.zfs, snapshotOf(liveName(host.parent, P), 'by-hand'))
      const saved = await saving
      assert.is(saved.kind, 'saved')
      assert.is.not(saved.point, first.point)
    }))

test.run()
