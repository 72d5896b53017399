import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { save } from '../../daemon/projects/save.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { projectHost } from '../support/project-host.ts'

const test = suite('projects: receivable')

for (const [receivable, flags] of [
  [null, ' -ce'],
  [['sa-spill'], ''],
  [['lz4', 'compressed'], ' -c'],
  [['lz4', 'compressed', 'embedded'], ' -ce'],
  [['compressed', 'embedded'], ''],
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

test.run()
