import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { evict } from '../../daemon/projects/evict.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { rejection } from '../contracts/values.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { projectHost } from '../support/project-host.ts'

const test = suite('projects: evict')
const P = projectId('p1')

test('a project that stays and cannot be mounted again is told of, with what kept it', () =>
  withFakeZfs(async (world) => {
    const host = await projectHost(world, memoryStore())
    const { path } = await createProjectHere(host, P)
    await writeFile(join(path, 'file'), 'x')
    await world.faults(
      { match: '^zfs destroy', action: 'fail', stderr: 'cannot destroy: it says no' },
      { match: '^zfs mount', action: 'fail', stderr: "cannot mount 'x': no such device" },
    )
    try {
      await evict(host, P)
      assert.unreachable()
    } catch (error) {
      assert.match(String(error), 'it says no')
      assert.match(String(error), 'not mounted again')
      assert.match(String(error), 'no such device')
      assert.ok(error instanceof TidepoolError && error.hint?.includes('zfs mount tank/projects/p1'))
    }
  }))

test('what was committed a moment ago is seen before anybody is disturbed by an unmount', () =>
  withFakeZfs(async (world) => {
    const store = memoryStore()
    const host = await projectHost(world, store, { settings: { evictAfterCommitMs: 60_000 } })
    const held: string[] = []
    const watched = {
      ...host,
      unmounting: async (id: string) => {
        held.push(id)
      },
    }
    const { path } = await createProjectHere(watched, P)
    await writeFile(join(path, 'file'), 'x')
    await world.calls()
    assert.is(codeOf(await rejection(evict(watched, P), 'it is young')), 'commit-too-young')
    assert.ok((await store.catalogue.read(P))?.statics.head, 'it is saved all the same')
    assert.is(codeOf(await rejection(evict(watched, P), 'nothing came since')), 'commit-too-young')
    assert.equal(held, [])
    assert.equal(
      (await world.calls()).filter((line) => /zfs (un)?mount/.test(line)),
      [],
    )
  }))

test.run()
