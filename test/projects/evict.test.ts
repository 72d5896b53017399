import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { evict } from '../../daemon/projects/evict.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { projectHost } from '../support/project-host.ts'

const test = suite('projects: evict')
const P = projectId('p1')

test('a project that stays and cannot be mounted again is told of, with what kept it', () =>
  withFakeZfs(async (world) => {
    const host = await projectHost(world, memoryStore(), { settings: { evictAfterCommitMs: 60_000 } })
    const { path } = await createProjectHere(host, P)
    await writeFile(join(path, 'file'), 'x')
    await world.faults({ match: '^zfs mount', action: 'fail', stderr: "cannot mount 'x': no such device" })
    try {
      await evict(host, P)
      assert.unreachable()
    } catch (error) {
      assert.is(codeOf(error), 'commit-too-young')
      assert.match(String(error), 'not mounted again')
      assert.match(String(error), 'no such device')
      assert.ok(error instanceof TidepoolError && error.hint?.includes('zfs mount tank/projects/p1'))
    }
  }))

test.run()
