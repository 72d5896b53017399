import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import {
  chmod,
  link,
  mkdir,
  open,
  readFile,
  rename,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { treeDigest, treeLines } from '../../../native/tree/digest.ts'
import { codeOf, errnoOf } from '../../../pipeline/base/errors.ts'
import { rejection } from '../../contracts/values.ts'
import { temporaryDirectory } from '../../support/directory.ts'

const test = suite('tree digest')
const AT = new Date('2026-01-02T03:04:05.678Z')

async function withTree(body: (root: string, digest: () => Promise<string>) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    const root = join(path, 'tree')
    await mkdir(join(root, 'folder'), { recursive: true })
    await writeFile(join(root, 'file'), 'content')
    await writeFile(join(root, 'folder', 'inner'), Buffer.alloc(600_000, 'x'))
    await link(join(root, 'file'), join(root, 'linked'))
    await symlink('file', join(root, 'symbolic'))
    for (const name of ['file', 'folder/inner', 'folder', '.']) await utimes(join(root, name), AT, AT)
    await body(root, async () => (await treeDigest(root, { xattrs: false })).sha256)
  } finally {
    await remove()
  }
}

test('it stays the same when nothing changes, and counts what there is', () =>
  withTree(async (root, digest) => {
    assert.is(await digest(), await digest())
    const { entries, bytes } = await treeDigest(root, { xattrs: false })
    assert.is(entries, 6)
    assert.is(bytes, 600_007n)
  }))

const changes: Readonly<Record<string, (root: string) => Promise<unknown> | unknown>> = {
  'a byte in the middle, with its times put back': async (root) => {
    const file = await open(join(root, 'folder', 'inner'), 'r+')
    await file.write('y', 400_000)
    await file.utimes(AT, AT)
    await file.close()
  },
  'zeros at the end': (root) => truncate(join(root, 'folder', 'inner'), 600_001),
  'a time alone': (root) => utimes(join(root, 'file'), AT, new Date(AT.getTime() + 1)),
  'the time of a directory': (root) => utimes(join(root, 'folder'), AT, new Date(0)),
  'a mode': (root) => chmod(join(root, 'file'), 0o4755),
  'the mode of the root': (root) => chmod(root, 0o700),
  'a name': (root) => rename(join(root, 'folder'), join(root, 'Folder')),
  'a file that is there no longer': (root) => unlink(join(root, 'linked')),
  'a hard link that became a copy': async (root) => {
    const before = await readFile(join(root, 'linked'))
    await unlink(join(root, 'linked'))
    await writeFile(join(root, 'linked'), before)
    await utimes(join(root, 'linked'), AT, AT)
    await utimes(root, AT, AT)
  },
  'where a link leads': async (root) => {
    await unlink(join(root, 'symbolic'))
    await symlink('folder', join(root, 'symbolic'))
    await utimes(root, AT, AT)
  },
  'a directory instead of a link': async (root) => {
    await unlink(join(root, 'symbolic'))
    await mkdir(join(root, 'symbolic'))
    await utimes(root, AT, AT)
  },
  'a fifo': (root) => execFileSync('mkfifo', [join(root, 'fifo')]),
}

for (const [what, change] of Object.entries(changes))
  test(`it tells ${what}`, () =>
    withTree(async (root, digest) => {
      const before = await digest()
      await change(root)
      assert.is.not(await digest(), before)
    }))

test('a copy elsewhere has the same one, where times are kept or left out', () =>
  withTree(async (root) => {
    // Hard links are copied as files by it: the original has none here.
    await unlink(join(root, 'linked'))
    await unlink(join(root, 'symbolic'))
    await utimes(root, AT, AT)
    const options = { xattrs: false }
    const digests = async (timestamps: boolean) => {
      const copy = `${root}-${timestamps}`
      cpSync(root, copy, { recursive: true, preserveTimestamps: timestamps })
      if (timestamps)
        for (const name of ['file', 'folder/inner', 'folder', '.']) await utimes(join(copy, name), AT, AT)
      return treeDigest(copy, { ...options, times: timestamps })
    }
    assert.is((await digests(true)).sha256, (await treeDigest(root, options)).sha256)
    assert.is((await digests(false)).sha256, (await treeDigest(root, { ...options, times: false })).sha256)
  }))

test('names that are no text, with newlines and blanks, are one word each', () =>
  withTree(async (root) => {
    const name = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x0a, 0x20, 0x5c, 0x71])])
    await writeFile(name, '')
    const lines: string[] = []
    for await (const line of treeLines(root, { xattrs: false })) lines.push(line)
    assert.is(lines.length, 7)
    assert.ok(lines.some((line) => line.startsWith('file \\xff\\x0a\\x20\\x5cq ')))
  }))

test('a tree of more entries than are looked at together keeps its order', () =>
  withTree(async (root) => {
    for (let i = 0; i < 100; i++) await writeFile(join(root, 'folder', `f${i}`), `${i}`)
    const names: string[] = []
    for await (const line of treeLines(root, { xattrs: false })) names.push(line.split(' ')[1] as string)
    const inFolder = names.filter((name) => name.startsWith('folder/'))
    assert.is(inFolder.length, 101)
    assert.equal(inFolder, [...inFolder].sort())
    assert.is(names.indexOf('folder') + 1, names.indexOf('folder/f0'))
  }))

test('what is no directory, and what is not there, is said', () =>
  withTree(async (root) => {
    const error = (name: string) => rejection(treeDigest(join(root, name), { xattrs: false }), name)
    assert.is(codeOf(await error('file')), 'no-directory')
    assert.is(errnoOf(await error('absent')), 'ENOENT')
  }))

test('without getfattr it says what to install instead of leaving attributes out', () =>
  withTree(async (root) => {
    const { PATH } = process.env
    process.env.PATH = '/nonexistent'
    try {
      const error = await rejection(treeDigest(root), 'a digest')
      assert.is(codeOf(error), 'xattrs-unread')
    } finally {
      process.env.PATH = PATH
    }
  }))

test('it can be stopped', () =>
  withTree(async (root) => {
    const signal = AbortSignal.abort(new Error('enough'))
    assert.match(String(await rejection(treeDigest(root, { xattrs: false, signal }), 'a digest')), 'enough')
  }))

test.run()
