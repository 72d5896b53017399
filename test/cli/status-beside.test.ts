/** What lies in the pool and is no project at its place: `status` names it, and what helps. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { setAside } from '../../daemon/projects/aside.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { requireResident } from '../../daemon/projects/resident.ts'
import { create, rename } from '../../native/zfs/dataset.ts'
import { childOf } from '../../native/zfs/names.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('status of what is beside the projects')
const [P, Q] = [projectId('p1'), projectId('q1')]

test('what was set aside, renamed, or is not ours, each with why or with what mends it', () =>
  withDaemon(async ({ daemon: { engine }, socket, fake: { zfs, parent } }) => {
    const status = () => tidepool(['--socket', socket, 'status'])
    assert.is((await status()).stdout.toString().includes('set aside'), false)
    for (const id of [P, Q]) {
      const { path } = await engine.create(id)
      await writeFile(join(path, 'file'), id)
      await engine.close(id)
    }
    const { name } = await setAside(engine.host, await requireResident(engine.host, P), 'for\na\ttest')
    await rename(zfs, liveName(parent, Q), childOf(parent, 'mine'))
    await create(zfs, childOf(parent, 'somebody.else'))
    const { code, stdout } = await status()
    const text = stdout.toString()
    assert.is(code, 1)
    assert.match(text, `set aside, and never destroyed by itself:\n  ${name}: for a test\n`)
    assert.match(text, `  ${parent}/mine is q1: zfs rename ${parent}/mine ${parent}/q1\n`)
    assert.match(
      text,
      `not ours, and left alone:\n  ${parent}/somebody.else: it has no property tidepool:id\n`,
    )
    assert.match(text, 'warning: 1 have another name in the pool than their own')
  }))

test.run()
