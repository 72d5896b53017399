/** The shell script before a start, on a machine that is made of scripts: what it says is missing, and two of it at once. */
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lackingFuse } from '../../daemon/start/lacking-fuse.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { type Walked, walk } from '../support/fuse.ts'

const test = suite('prepare.sh')
const TOP = fileURLToPath(new URL('../..', import.meta.url))

const WELL: Readonly<Record<string, string>> = {
  id: 'echo 0',
  ldconfig: 'echo "libfuse.so.2 => /lib/libfuse.so.2"',
  zpool: 'exit 0',
  npm: 'echo begins >> calls; sleep 0.5; mkdir -p node_modules; echo ends >> calls',
  'apt-get': 'exit 1',
  'zfs-fuse': 'exit 1',
}

async function withMachine(
  programs: Record<string, string>,
  body: (prepare: () => Promise<Walked>, root: string) => Promise<void>,
): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    await mkdir(join(path, 'daemon/start'), { recursive: true })
    await mkdir(join(path, 'machine'))
    await cp(join(TOP, 'daemon/start/prepare.sh'), join(path, 'daemon/start/prepare.sh'))
    await writeFile(join(path, 'package-lock.json'), '{}')
    for (const [name, lines] of Object.entries({ ...WELL, ...programs })) {
      await writeFile(join(path, 'machine', name), `#!/bin/sh\n${lines}\n`)
      await chmod(join(path, 'machine', name), 0o755)
    }
    await body(
      () =>
        walk(`PATH=${path}/machine:$PATH sh ${path}/daemon/start/prepare.sh .tidepool`, { limitMs: 60_000 }),
      path,
    )
  } finally {
    await remove()
  }
}

test('without root three lines say so, and nothing is made', () =>
  withMachine({ id: 'echo 1000' }, async (prepare, root) => {
    const { code, stdout, stderr } = await prepare()
    assert.is(code, 3)
    assert.is(stdout, '')
    assert.equal(stderr.split('\n').length, 4)
    assert.match(stderr, /^This machine lacks what projects need: root\.\nTo have it: run it as root/)
    assert.match(stderr, /see what becomes of streams: npm ci && bin\/tidepool demo --streams\n$/)
    assert.not((await walk(`ls ${root}/.tidepool`)).code === 0)
  }))

test('packages behind a link are somebody else’s: nothing is installed over them', () =>
  withMachine({}, async (prepare, root) => {
    await mkdir(join(root, 'elsewhere'))
    await symlink(join(root, 'elsewhere'), join(root, 'node_modules'))
    const { code, stderr } = await prepare()
    assert.is(code, 3)
    assert.match(stderr, /npm ci where the link node_modules leads to/)
    assert.not(existsSync(join(root, 'calls')))
  }))

test('without any ZFS that answers, the same three lines', async () => {
  // A module that is loaded is no script, and then there is one.
  if (existsSync('/sys/module/zfs')) return
  await withMachine({ zpool: 'exit 1', sleep: 'exit 0' }, async (prepare) => {
    const { code, stderr } = await prepare()
    assert.is(code, 3)
    assert.match(
      stderr,
      /lacks what projects need: .*\nTo have it: .*\nWithout any of it, .*: bin\/tidepool demo --streams\n$/,
    )
  })
})

test('a library for FUSE that cannot be had stops nothing', () =>
  withMachine({ ldconfig: 'exit 0' }, async (prepare) => {
    const { code, stdout } = await prepare()
    assert.is(code, 0)
    assert.match(stdout, /apt-get install libfuse2.*\nsetup: it cannot be had\n/)
  }))

test('of two at once one installs and the other waits for it', () =>
  withMachine({}, async (prepare, root) => {
    const both = await Promise.all([prepare(), prepare()])
    for (const { code, stderr } of both) assert.is(code, 0, stderr)
    assert.is(await readFile(join(root, 'calls'), 'utf8'), 'begins\nends\n')
  }))

test('before there are packages the command and a stop say so, and nothing of the machinery below', () =>
  withMachine({}, async (_prepare, root) => {
    for (const part of ['bin', 'package.json'])
      await cp(join(TOP, part), join(root, part), { recursive: true })
    const asked = await walk(`cd ${root} && bin/tidepool status`)
    assert.is(asked.code, 1)
    assert.match(
      asked.stderr,
      /^tidepool: the npm packages of this checkout are missing\n {2}Bring them: npm ci/,
    )
    const stopped = await walk(`cd ${root} && npm stop`, { limitMs: 60_000 })
    assert.is(stopped.code, 1)
    assert.match(stopped.stdout, /nothing runs here without the npm packages; npm ci brings them\n/)
    assert.is(stopped.stderr, '')
  }))

test('FUSE is lacking where its device is none, or another', async () => {
  assert.match((await lackingFuse(TOP, '/dev/nowhere'))?.what ?? '', /no \/dev\/nowhere/)
  assert.match((await lackingFuse(TOP, '/dev/null'))?.mend ?? '', /modprobe fuse/)
})

test.run()
