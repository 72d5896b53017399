/** Properties of a project on a real ZFS: as it tells them, and as users find them. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { changeProperties } from '../../daemon/projects/change-properties.ts'
import { close } from '../../daemon/projects/close.ts'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { evict } from '../../daemon/projects/evict.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { open } from '../../daemon/projects/open.ts'
import { PROPERTIES, type ProjectProperties } from '../../daemon/projects/properties.ts'
import { save } from '../../daemon/projects/save.ts'
import { properties } from '../../native/zfs/get.ts'
import { errnoOf } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { rejection } from '../contracts/values.ts'
import { projectHost } from '../support/project-host.ts'
import { withPool } from '../support/zfs-pool.ts'

const test = suite('projects: properties on a real ZFS')
const P = projectId('p1')

async function setHere({ zfs, parent }: ProjectHost): Promise<Record<string, string>> {
  const found = (await properties(zfs, liveName(parent, P), PROPERTIES)) ?? new Map()
  return Object.fromEntries(
    [...found].flatMap(([name, { value, source }]) => (source === 'local' ? [[name, value]] : [])),
  )
}

test('each is set, found the same by the next open, and taken away again', () =>
  withPool(async (world) => {
    const host = await projectHost(world, memoryStore())
    await createProjectHere(host, P)
    await save(host, P)
    let commands: string[] = []
    const lookAway = world.zfs.commands.lookOn(({ command, lane }) => {
      if (lane === 'change') commands.push(command)
    })
    const all: ProjectProperties[] = [
      { compression: 'gzip', recordsize: '16K' },
      // Told by another name than they are set by.
      { compression: 'gzip-6', recordsize: '512' },
      { compression: 'gzip-9', recordsize: '128K' },
      { compression: 'zle' },
    ]
    for (const one of all) {
      await changeProperties(host, P, { compression: null, recordsize: null, ...one })
      const before = await setHere(host)
      assert.equal(Object.keys(before).sort(), Object.keys(one).sort())
      commands = []
      await changeProperties(host, P, one)
      assert.equal(commands, [], JSON.stringify(one))
    }
    lookAway()
    await changeProperties(host, P, { compression: null })
    assert.equal(await setHere(host), {})
  }))

test('readonly holds at once for who is in it, and where it is opened anew', () =>
  withPool(async (world) => {
    const host = await projectHost(world, memoryStore())
    const { path } = await createProjectHere(host, P, { properties: { recordsize: '16K' } })
    const file = join(path, 'file')
    await writeFile(file, 'kept')
    await changeProperties(host, P, { readonly: 'on' })
    assert.is(errnoOf(await rejection(writeFile(file, 'no'), 'it is read-only')), 'EROFS')
    assert.is((await save(host, P)).kind, 'saved')
    await close(host, P)
    await evict(host, P)
    await open(host, P)
    assert.is(await readFile(file, 'utf8'), 'kept')
    assert.is(errnoOf(await rejection(writeFile(file, 'no'), 'it is read-only')), 'EROFS')
    await changeProperties(host, P, { readonly: null })
    await writeFile(file, 'again')
    await close(host, P)
    assert.equal(await setHere(host), { recordsize: '16384' })
  }))

test('one that is read-only from its making on has an owner all the same', () =>
  withPool(async (world) => {
    const host = await projectHost(world, memoryStore())
    const owner = { uid: 1000, gid: 1000 }
    const { path } = await createProjectHere(host, P, { properties: { readonly: 'on' }, owner })
    assert.is(errnoOf(await rejection(writeFile(join(path, 'file'), 'no'), 'it is read-only')), 'EROFS')
  }))

test.run()
