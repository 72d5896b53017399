import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { holders } from '../../../native/mount/holders.ts'
import { temporaryDirectory } from '../../support/directory.ts'

const test = suite('holders')

async function inDirectory(body: (path: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    await body(path)
  } finally {
    await remove()
  }
}

test('a process whose directory it is', () =>
  inDirectory(async (path) => {
    await mkdir(join(path, 'deep er'))
    const child = spawn('sh', ['-c', 'echo ready; read -r _'], {
      cwd: join(path, 'deep er'),
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    await once(child.stdout, 'data')
    const found = await holders(path)
    assert.equal(found, [
      { pid: child.pid, uid: process.geteuid?.(), command: 'sh', how: 'cwd', path: join(path, 'deep er') },
    ])
    child.stdin.end()
    await once(child, 'close')
    assert.equal(await holders(path), [])
  }))

test('an open file, also one that was removed', () =>
  inDirectory(async (path) => {
    await writeFile(join(path, 'file'), '')
    const file = await open(join(path, 'file'))
    const [found, ...others] = await holders(path)
    assert.equal([found?.pid, found?.how, found?.path, others], [process.pid, 'file', join(path, 'file'), []])
    assert.equal(await holders(`${path}/fil`), [], 'a name that only begins alike')
    assert.is((await holders(path, { max: 0 })).length, 0)
    await file.close()
  }))

test.run()
