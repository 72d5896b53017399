import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bringBack, pathInProject } from '../../daemon/cli/bring-back.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { rejection } from '../contracts/values.ts'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('bringing one path back')

async function withTrees(body: (trees: { from: string; into: string }) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    const from = join(path, 'old')
    const into = join(path, 'now')
    await mkdir(join(from, 'folder', 'deep'), { recursive: true })
    await mkdir(into)
    await writeFile(join(from, 'folder', 'file'), 'old', { mode: 0o640 })
    await writeFile(join(from, 'folder', 'deep', 'er'), 'deeper')
    await symlink('/etc/passwd', join(from, 'link'))
    await body({ from, into })
  } finally {
    await remove()
  }
}

test('a file that went is where it was, as it was, in folders that went with it', () =>
  withTrees(async (trees) => {
    assert.is(await bringBack({ ...trees, path: 'folder/file' }), join(trees.into, 'folder/file'))
    assert.is(await readFile(join(trees.into, 'folder/file'), 'utf8'), 'old')
    const [was, is] = await Promise.all([
      stat(join(trees.from, 'folder/file')),
      stat(join(trees.into, 'folder/file')),
    ])
    assert.is(is.mode, was.mode)
    assert.is(is.mtimeMs, was.mtimeMs)
  }))

test('a folder comes with all that is in it, a link as a link', () =>
  withTrees(async (trees) => {
    await bringBack({ ...trees, path: 'folder' })
    await bringBack({ ...trees, path: 'link' })
    assert.is(await readFile(join(trees.into, 'folder/deep/er'), 'utf8'), 'deeper')
    assert.equal((await readdir(trees.into)).sort(), ['folder', 'link'])
  }))

test('what is there now stays, unless it is a file and said to be replaced', () =>
  withTrees(async (trees) => {
    await mkdir(join(trees.into, 'folder'))
    const target = join(trees.into, 'folder/file')
    await writeFile(target, 'new')
    const refused = await rejection(bringBack({ ...trees, path: 'folder/file' }))
    assert.is(codeOf(refused), 'path-there')
    assert.match((refused as TidepoolError).hint ?? '', /--overwrite/)
    assert.is(codeOf(await rejection(bringBack({ ...trees, path: 'folder', overwrite: true }))), 'path-there')
    assert.is(await readFile(target, 'utf8'), 'new')
    await bringBack({ ...trees, path: 'folder/file', overwrite: true })
    assert.is(await readFile(target, 'utf8'), 'old')
    assert.equal(await readdir(join(trees.into, 'folder')), ['file'])
  }))

test('it can go to another place, and says where there is none', () =>
  withTrees(async (trees) => {
    const to = join(trees.into, 'copy')
    assert.is(await bringBack({ ...trees, path: 'folder/file', to }), to)
    assert.is(await readFile(to, 'utf8'), 'old')
    const lost = await rejection(
      bringBack({ ...trees, path: 'folder/file', to: join(trees.into, 'no/where') }),
    )
    assert.is(codeOf(lost), 'restore-failed')
    assert.match((lost as Error).message, /No such file or directory/)
  }))

test('what that point does not have is told by its path', () =>
  withTrees(async (trees) => {
    assert.is(codeOf(await rejection(bringBack({ ...trees, path: 'absent' }))), 'path-absent')
    assert.equal(await readdir(trees.into), [])
  }))

test('a path is one below the project, however it is given', () => {
  const roots = ['/projects/p1', '/mnt/p1']
  assert.is(pathInProject('a/b', roots), 'a/b')
  assert.is(pathInProject('./a//b/', roots), 'a/b')
  assert.is(pathInProject('/projects/p1/a', roots), 'a')
  assert.is(pathInProject('/mnt/p1/a/../b', roots), 'b')
  for (const text of [
    '..',
    '../p2/a',
    'a/../../p2',
    '/etc/passwd',
    '/projects/p2/a',
    '.',
    '',
    '/projects/p1',
    'a\0b',
  ])
    assert.throws(
      () => pathInProject(text, roots),
      (error: unknown) => error instanceof TidepoolError && error.code === 'bad-path',
      text,
    )
})

test.run()
