import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { save } from '../../daemon/projects/save.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { rejects } from '../contracts/zfs-world.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { projectHost } from '../support/project-host.ts'

const test = suite('projects: receivable')

for (const [receivable, flags] of [
  [null, ' -ce'],
  [['sa-spill'], ''],
  [['sa-spill', 'lz4', 'compressed'], ' -c'],
  [['sa-spill', 'lz4', 'compressed', 'embedded'], ' -ce'],
  [['sa-spill', 'compressed', 'embedded'], ''],
] as const)
  test(`where every host can receive ${receivable ?? 'whatever comes'} it is sent with${flags || ' nothing'}`, () =>
    withFakeZfs(async (world) => {
      const plain = memoryStore()
      const catalogue = {
        ...plain.catalogue,
        info: async () => ({ ...(await plain.catalogue.info()), receivable }),
      }
      const host = await projectHost(world, { ...plain, catalogue })
      const { path } = await createProjectHere(host, projectId('p1'))
      await writeFile(join(path, 'file'), 'x')
      await world.calls()
      await save(host, projectId('p1'))
      const sends = (await world.calls()).filter((line) => line.startsWith('zfs send'))
      assert.equal(
        sends.map((line) => /^zfs send( -[a-zA-Z]+)? /.exec(line)?.[1] ?? ''),
        [flags],
      )
    }))

test('where a host of the store cannot receive what every stream of this ZFS is, none is sent, and why is said', () =>
  withFakeZfs(async (world) => {
    const plain = memoryStore()
    const catalogue = {
      ...plain.catalogue,
      info: async () => ({
        ...(await plain.catalogue.info()),
        receivable: ['lz4', 'compressed', 'embedded'],
      }),
    }
    const host = await projectHost(world, { ...plain, catalogue })
    const { path } = await createProjectHere(host, projectId('p1'))
    await writeFile(join(path, 'file'), 'x')
    await world.calls()
    const error = await rejects(save(host, projectId('p1')), 'features-not-receivable')
    assert.match(error.message, /sa-spill/)
    assert.not((await world.calls()).some((line) => line.startsWith('zfs send')))
  }))

test.run()
