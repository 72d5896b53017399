import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Shown } from '../../daemon/access/layer.ts'
import { listProjects } from '../../daemon/access/list-projects.ts'
import { newHostId, projectId } from '../../pipeline/base/ids.ts'
import { createProject } from '../../pipeline/graph/transitions/life.ts'
import { memoryStore as newStore } from '../../pipeline/stores/memory.ts'
import { startEngine } from '../support/engine.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

const test = suite('access: list projects')

test('a listing shows what the pool has, or all that live', () =>
  withFakeZfs(async (world) => {
    const store = newStore()
    const a = await startEngine(world, store, join(world.mounts, 'state'))
    const list = async (what: Shown): Promise<string[]> => {
      const ids: string[] = []
      for await (const id of listProjects(a, what)) ids.push(id)
      return ids.sort()
    }
    for (const id of ['closed', 'destroyed', 'open']) await a.create(projectId(id))
    const theirs = createProject(projectId('theirs'), { owner: newHostId(), nowMs: 0 })
    assert.ok(await store.catalogue.apply(theirs))
    await a.close(projectId('closed'))
    await a.destroy(projectId('destroyed'))
    assert.equal(await list('all'), ['closed', 'open', 'theirs'])
    // Destroyed, it lies in the pool until an eviction.
    assert.equal(await list('resident'), ['closed', 'destroyed', 'open'])
    await a.stop()
  }))

test.run()
