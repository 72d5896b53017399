import { execFile } from 'node:child_process'
import { cp, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('the launcher')
const TOP = fileURLToPath(new URL('../..', import.meta.url))

/** A tree with two programs that say which of them they are, all of the same age. */
async function withTree(
  body: (tree: { readonly root: string; readonly ran: () => Promise<string> }) => Promise<void>,
): Promise<void> {
  const directory = await temporaryDirectory()
  const root = directory.path
  try {
    await cp(join(TOP, 'bin'), join(root, 'bin'), { recursive: true })
    await symlink(join(TOP, 'node_modules'), join(root, 'node_modules'))
    await writeFile(join(root, 'package.json'), '{"type": "module"}')
    for (const [file, what] of [
      ['dist/daemon/cli/main.js', 'built'],
      ['daemon/cli/main.ts', 'sources'],
      ['pipeline/base/part.ts', 'a part'],
    ] as const) {
      await mkdir(join(root, file, '..'), { recursive: true })
      await writeFile(join(root, file), `export const main = () => console.log(${JSON.stringify(what)})`)
    }
    for (const path of ['daemon', 'daemon/cli', 'daemon/cli/main.ts', 'pipeline', 'pipeline/base'])
      await utimes(join(root, path), 1000, 1000)
    await utimes(join(root, 'pipeline/base/part.ts'), 1000, 1000)
    await utimes(join(root, 'dist/daemon/cli/main.js'), 2000, 2000)
    const run = promisify(execFile)
    await body({
      root,
      ran: async () => (await run(process.execPath, [join(root, 'bin/tidepool')])).stdout.trim(),
    })
  } finally {
    await directory.remove()
  }
}

test('runs what was built, until a source is newer', () =>
  withTree(async ({ root, ran }) => {
    assert.is(await ran(), 'built')
    await utimes(join(root, 'pipeline/base/part.ts'), 3000, 3000)
    assert.is(await ran(), 'sources')
  }))

test('a source that was removed makes it stale too', () =>
  withTree(async ({ root, ran }) => {
    await rm(join(root, 'pipeline/base/part.ts'))
    assert.is(await ran(), 'sources')
  }))

test('runs the sources where nothing was built, and what was built where there are none', () =>
  withTree(async ({ root, ran }) => {
    await rm(join(root, 'daemon'), { recursive: true })
    assert.is(await ran(), 'built')
    await mkdir(join(root, 'daemon/cli'), { recursive: true })
    await writeFile(join(root, 'daemon/cli/main.ts'), 'export const main = () => console.log("sources")')
    await rm(join(root, 'dist'), { recursive: true })
    assert.is(await ran(), 'sources')
  }))

test.run()
