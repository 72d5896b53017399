import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openHostRecord } from '../../daemon/projects/host-record.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { newSessionId } from '../../pipeline/base/ids.ts'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('projects: host record')

async function withState(body: (directory: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    await body(join(path, 'state'))
  } finally {
    await remove()
  }
}

test('the id is drawn once, and earlier sessions are known to be over', () =>
  withState(async (directory) => {
    const first = await openHostRecord(directory)
    const one = await first.newSession()
    assert.not(first.isEnded(one))
    const two = await first.newSession()
    assert.ok(first.isEnded(one))
    assert.not(first.isEnded(two))
    const next = await openHostRecord(directory)
    assert.is(next.host, first.host)
    assert.ok(next.isEnded(one) && next.isEnded(two), 'whoever opens it later is the only one')
    assert.not(next.isEnded(newSessionId()))
  }))

test('a session is on the disk before it is used, and root alone may look', () =>
  withState(async (directory) => {
    const record = await openHostRecord(directory)
    const session = await record.newSession()
    assert.ok((await readFile(join(directory, 'host.json'), 'utf8')).includes(session))
    assert.is((await stat(directory)).mode & 0o777, 0o700)
    assert.is((await stat(join(directory, 'host.json'))).mode & 0o777, 0o600)
  }))

test('a damaged record is told, and makes no other host of this one', () =>
  withState(async (directory) => {
    await openHostRecord(directory)
    const file = join(directory, 'host.json')
    for (const text of ['', '{}', '{"host":"me","sessions":[]}']) {
      await writeFile(file, text)
      try {
        await openHostRecord(directory)
        assert.unreachable()
      } catch (error) {
        assert.is(codeOf(error), 'host-record-damaged')
      }
      assert.is(await readFile(file, 'utf8'), text)
    }
  }))

test.run()
