import { execFileSync } from 'node:child_process'
import { chmod, link, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { treeChanges } from '../../../native/tree/changes.ts'
import { temporaryDirectory } from '../../support/directory.ts'

const test = suite('changes of a tree')

/** A tree and one with the same inodes, as a state of ZFS and an older one of it have them. */
async function changesAfter(act: (now: string) => Promise<unknown>): Promise<string[]> {
  const { path, remove } = await temporaryDirectory()
  try {
    const before = join(path, 'before')
    const now = join(path, 'now')
    await mkdir(join(before, 'folder', 'deep'), { recursive: true })
    await mkdir(join(before, 'empty'))
    for (const name of ['file', 'folder/inner', 'folder/deep/er']) await writeFile(join(before, name), name)
    await symlink('file', join(before, 'link'))
    execFileSync('cp', ['-al', before, now])
    // A copied directory has an inode of its own, with times of its own.
    for (const name of ['folder/deep', 'folder', 'empty'])
      for (const root of [before, now]) await utimes(join(root, name), 1, 1)
    await act(now)
    return (await treeChanges(before, now)).map(
      ({ change, kind, path, from }) => `${change} ${kind} ${from ? `${from} ` : ''}${path}`,
    )
  } finally {
    await remove()
  }
}

const cases: Readonly<Record<string, readonly [(now: string) => Promise<unknown>, readonly string[]]>> = {
  nothing: [async () => {}, []],
  'a new file, which is no change of its folder': [
    (now) => writeFile(join(now, 'folder', 'new'), ''),
    ['added file folder/new'],
  ],
  'a file that went': [(now) => rm(join(now, 'folder', 'inner')), ['removed file folder/inner']],
  'a file that was replaced': [
    async (now) => {
      await rm(join(now, 'file'))
      await writeFile(join(now, 'file'), 'file')
    },
    ['modified file file'],
  ],
  'a file that became a folder': [
    async (now) => {
      await rm(join(now, 'file'))
      await mkdir(join(now, 'file'))
      await writeFile(join(now, 'file', 'in'), '')
    },
    ['added dir file', 'removed file file', 'added file file/in'],
  ],
  'a file that moved': [
    (now) => rename(join(now, 'folder', 'inner'), join(now, 'moved')),
    ['renamed file folder/inner moved'],
  ],
  'a folder that moved, with all in it': [
    (now) => rename(join(now, 'folder'), join(now, 'other')),
    [
      'removed dir folder',
      'removed dir folder/deep',
      'added dir other',
      'added dir other/deep',
      'renamed file folder/deep/er other/deep/er',
      'renamed file folder/inner other/inner',
    ],
  ],
  'the rights of a folder': [(now) => chmod(join(now, 'empty'), 0o700), ['modified dir empty']],
  'a second name': [
    async (now) => {
      await rm(join(now, 'link'))
      await link(join(now, 'file'), join(now, 'second'))
    },
    ['removed symlink link', 'added file second'],
  ],
  'a name that is no text': [
    (now) => writeFile(Buffer.concat([Buffer.from(`${now}/`), Buffer.from([0xff])]), ''),
    ['added file �'],
  ],
}

for (const [name, [act, expected]] of Object.entries(cases))
  test(name, async () => {
    // The two trees have directories of their own, with times of their own: of those that nobody touched nothing is asked here.
    const found = (await changesAfter(act)).filter(
      (line) => !line.startsWith('modified dir') || expected.includes(line),
    )
    assert.equal(found.sort(), [...expected].sort())
  })

test.run()
