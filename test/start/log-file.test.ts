import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LogFile } from '../../daemon/start/log-file.ts'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('the log of a checkout')

test('it is gone on with, and one that has grown large is kept beside a new one', async () => {
  const { path, remove } = await temporaryDirectory()
  try {
    const file = join(path, 'daemon.log')
    await writeFile(file, 'before\n')
    const failed: unknown[] = []
    const log = new LogFile(file, (error) => void failed.push(error))
    log.write('one\n')
    assert.is(await readFile(file, 'utf8'), 'before\none\n')
    const line = `${'x'.repeat(2 ** 20 - 1)}\n`
    for (let n = 0; n < 16; n++) log.write(line)
    log.write('last\n')
    assert.is((await stat(file)).size, 5)
    assert.ok((await stat(`${file}.1`)).size > 16 * 2 ** 20)
    log.close()
    assert.equal(failed, [])
  } finally {
    await remove()
  }
})

test('what cannot be written is told once until it can be again', async () => {
  const { path, remove } = await temporaryDirectory()
  try {
    const file = join(path, 'daemon.log')
    await mkdir(file)
    const failed: unknown[] = []
    const log = new LogFile(file, (error) => void failed.push(error))
    for (let n = 0; n < 3; n++) log.write('lost\n')
    assert.is(failed.length, 1)
    await rm(file, { recursive: true })
    log.write('kept\n')
    log.close()
    assert.is(await readFile(file, 'utf8'), 'kept\n')
    assert.is(failed.length, 1)
  } finally {
    await remove()
  }
})

test.run()
