/** Starts that are not as they should be: a second one, one whose packages are taken away, one without FUSE. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Client } from '../../daemon/client/client.ts'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { daemonOf, ended, withCheckout } from '../support/checkout.ts'
import { eventually } from '../support/fuse.ts'

const test = suite('odd starts')
const PACKAGES = new URL('../../node_modules', import.meta.url).pathname

test('a second start is refused by name, and the packages may go and come while it serves', () =>
  withCheckout(async ({ root, start, sh }) => {
    const first = await start()
    const second = await sh('npm start')
    assert.is(second.code, 1)
    assert.match(second.stderr, /served by another npm start already\n.*npm stop/)

    const made = await sh('bin/tidepool create home1 && echo hello > projects/home1/file')
    assert.is(made.code, 0, made.stderr)
    const { lines } = JSON.parse((await sh('bin/tidepool --json doctor')).stdout) as {
      lines: { check: string; verdict: string; found: string }[]
    }
    const verdictOf = (check: string) => lines.find((line) => line.check === check)?.verdict
    for (const check of [
      'configuration',
      '/dev/fuse',
      'libfuse2',
      'pool',
      'store',
      'daemon',
      'access process',
    ])
      assert.is(verdictOf(check), 'ok', JSON.stringify(lines, null, 1))
    assert.is(verdictOf('zpool scrub'), 'warn', 'its pool is new')

    // As npm ci does: all of it is gone for a while.
    await rm(join(root, 'node_modules'))
    const client = new Client({ socket: join(root, '.tidepool/run/tidepool.sock') })
    await client.call('POST', '/v1/projects/home1/close')
    const touched = await sh('cat projects/home1/file')
    assert.is(touched.stdout, 'hello\n', touched.stderr)
    const access = Number(await readFile(join(root, '.tidepool/access.pid'), 'utf8'))
    process.kill(access, 'SIGKILL')
    await eventually('it is missed', 10_000, async () => (await sh('cat projects/home1/file')).code !== 0)
    await symlink(PACKAGES, join(root, 'node_modules'))
    await eventually(
      'a new access process serves',
      60_000,
      async () => (await sh('cat projects/home1/file')).stdout === 'hello\n',
    )
    const daemon = await daemonOf(root)
    await ended(first, () => process.kill(daemon, 'SIGINT'))
  }))

test('without FUSE it serves all the same, and an open prints where the project really is', () =>
  withCheckout(async ({ root, start, sh }) => {
    await withoutAddon(join(root, 'node_modules'))
    const started = await start()
    assert.match(
      started.printed(),
      /is not served, libfuse 2 is missing\n +to have it: apt-get install libfuse2/,
    )
    const made = await sh('bin/tidepool create home1 && bin/tidepool close home1 && bin/tidepool open home1')
    assert.is(made.code, 0, made.stderr)
    const path = join(root, '.tidepool/mnt/home1')
    assert.match(made.stdout, new RegExp(`closed home1\n${path}\n`))
    assert.is((await sh(`echo hello > ${path}/file && cat ${path}/file`)).stdout, 'hello\n')
    assert.not((await readMounts()).some(({ mountPoint }) => mountPoint === join(root, 'projects')))
    const daemon = await daemonOf(root)
    await ended(started, () => process.kill(daemon, 'SIGINT'))
  }))

/** The packages as they are, but for the one that needs the library. */
async function withoutAddon(modules: string): Promise<void> {
  await rm(modules)
  await mkdir(join(modules, 'fuse-native'), { recursive: true })
  await writeFile(
    join(modules, 'fuse-native/index.js'),
    "throw new Error('libfuse.so.2: cannot open shared object file: No such file or directory')",
  )
  for (const name of await readdir(PACKAGES))
    if (name !== 'fuse-native') await symlink(join(PACKAGES, name), join(modules, name))
}

test.run()
