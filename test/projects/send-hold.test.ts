import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { liveName, SAVE_HOLD } from '../../daemon/projects/names.ts'
import { save } from '../../daemon/projects/save.ts'
import { listSnapshots } from '../../native/zfs/list.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { projectHost } from '../support/project-host.ts'

const test = suite('holds of a save')
const P = projectId('p1')

test('where a send keeps nothing, one that takes a while is held, base and end, and let go; a quick one is not', () =>
  withFakeZfs(
    async (world) => {
      const host = await projectHost(world, memoryStore())
      const { path } = await createProjectHere(host, P)
      const live = liveName(world.parent, P)
      const savedWith = async (text: string): Promise<string[]> => {
        await writeFile(join(path, 'file'), text)
        await world.calls()
        assert.is((await save(host, P)).kind, 'saved')
        return (await world.calls()).filter((line) => / (?:hold|release) /.test(line)).sort()
      }
      assert.equal(await savedWith('first'), [])
      const base = (await listSnapshots(world.zfs, live)).at(-1)
      await world.faults({ match: '^zfs send', delayMs: 1500 })
      const ran = await savedWith('second')
      const after = await listSnapshots(world.zfs, live)
      const both = [base?.name, after.at(-1)?.name]
      const expected = ['hold', 'release'].flatMap((verb) =>
        both.map((name) => `zfs ${verb} ${SAVE_HOLD} ${name}`).sort(),
      )
      assert.equal(ran, expected)
      assert.equal(
        after.map(({ holds }) => holds),
        after.map(() => 0),
      )
    },
    { flavour: 'zfs-fuse' },
  ))

test.run()
