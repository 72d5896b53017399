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

const LISTING = '^zfs get -Hp -r -d 1 -t filesystem,snapshot,bookmark .*tank/projects/p1$'

test('what it hides is saved all the same, where the listing answers late', () =>
  withFakeZfs(async (fake) => {
    const host = await projectHost(fake, memoryStore())
    const { path } = await createProjectHere(host, P)
    const first = await save(host, P)
    await fake.calls()
    await fake.faults({ match: LISTING, delayMs: 700, times: 1 })
    const saving = save(host, P, { quick: true })
    // The listing is under way, and sees what comes now: a look of several would show what was written before and a newer snapshot.
    await sleep(350)
    await writeFile(join(path, 'file'), 'hidden')
    await snapshot(host.zfs, snapshotOf(liveName(host.parent, P), 'by-hand'))
    const saved = await saving
    assert.is(saved.kind, 'saved')
    assert.is.not(saved.point, first.point)
  }))

test.run()
