import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { writeAtomically } from '../../pipeline/base/atomic-file.ts'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('atomic file')

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text)
}

async function* failing(): AsyncGenerator<Buffer> {
  yield Buffer.from('half')
  throw new Error('the source failed')
}

async function inDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    await use(path)
  } finally {
    await remove()
  }
}

test('holds all pieces, replaces what was there, and leaves nothing beside it', () =>
  inDirectory(async (path) => {
    await writeFile(join(path, 'x'), 'something longer than what comes')
    await writeAtomically(join(path, 'x'), pieces('a', '', 'bc'), { mode: 0o600 })
    assert.is(await readFile(join(path, 'x'), 'utf8'), 'abc')
    assert.is((await stat(join(path, 'x'))).mode & 0o777, 0o600)
    assert.equal(await readdir(path), ['x'])
  }))

test('nobody sees it before it is whole', () =>
  inDirectory(async (path) => {
    await writeAtomically(
      join(path, 'x'),
      (async function* () {
        yield Buffer.from('a')
        assert.not.ok((await readdir(path)).includes('x'))
        yield Buffer.from('b')
      })(),
    )
    assert.is(await readFile(join(path, 'x'), 'utf8'), 'ab')
  }))

test('a source that fails leaves what was there, and nothing else', () =>
  inDirectory(async (path) => {
    await writeFile(join(path, 'x'), 'before')
    for (const name of ['x', 'y'])
      try {
        await writeAtomically(join(path, name), failing())
        assert.unreachable()
      } catch (error) {
        assert.match(String(error), /the source failed/)
      }
    assert.is(await readFile(join(path, 'x'), 'utf8'), 'before')
    assert.equal(await readdir(path), ['x'])
  }))

test('a symbolic link stays one, and what it names is replaced', () =>
  inDirectory(async (path) => {
    await writeFile(join(path, 'x'), 'before')
    await symlink(join(path, 'x'), join(path, 'link'))
    await writeAtomically(join(path, 'link'), pieces('after'))
    assert.is(await readFile(join(path, 'x'), 'utf8'), 'after')
    assert.equal((await readdir(path)).sort(), ['link', 'x'])
  }))

test.run()
