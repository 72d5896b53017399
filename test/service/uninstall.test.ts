import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pathsOf } from '../../daemon/service/unit-files.ts'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('service: uninstall')

const OURS = '# Written by `tidepool install` 0.0.0\n[Unit]\n'

/** A root with units in it, one of which somebody has written. */
async function withRoot(body: (root: string, ours: string, foreign: string) => Promise<void>): Promise<void> {
  const { path: root, remove } = await temporaryDirectory()
  const [ours = '', foreign = ''] = pathsOf(root)
  try {
    await mkdir(dirname(ours), { recursive: true })
    await writeFile(ours, OURS)
    await writeFile(foreign, '[Unit]\n')
    await body(root, ours, foreign)
  } finally {
    await remove()
  }
}

const isThere = (path: string): Promise<boolean> =>
  readFile(path).then(
    () => true,
    () => false,
  )

test('without --apply it says what it would do, and does nothing', () =>
  withDaemon(({ client, socket }) =>
    withRoot(async (root, ours) => {
      await client.call('POST', '/v1/projects', { body: { id: 'p1' } })
      const { code, stdout } = await tidepool(['--socket', socket, 'uninstall', '--root', root])
      assert.is(code, 0)
      assert.match(stdout.toString(), /^would close 1 project\nwould remove .*(\n.*)+Nothing was changed/)
      assert.ok(await isThere(ours))
      const { projects } = await client.call<{ projects: { mounted: boolean }[] }>('GET', '/v1/projects')
      assert.equal(
        projects.map(({ mounted }) => mounted),
        [true],
      )
    }),
  ))

test('with it all projects are closed first, and only what install wrote is removed', () =>
  withDaemon(({ client, socket }) =>
    withRoot(async (root, ours, foreign) => {
      await client.call('POST', '/v1/projects', { body: { id: 'p1' } })
      const { code, json } = await tidepool([
        '--json',
        '--socket',
        socket,
        'uninstall',
        '--root',
        root,
        '--apply',
      ])
      assert.is(code, 0)
      assert.equal(json, [{ applied: true, projects: ['p1'], files: [ours] }])
      assert.not.ok(await isThere(ours))
      assert.ok(await isThere(foreign))
      const { projects } = await client.call<{ projects: { mounted: boolean }[] }>('GET', '/v1/projects')
      assert.equal(
        projects.map(({ mounted }) => mounted),
        [false],
      )
    }),
  ))

test('where no daemon can save it refuses, and with --unsaved it does not', () =>
  withRoot(async (root, ours) => {
    const argv = ['--socket', join(root, 'none.sock'), 'uninstall', '--root', root, '--apply']
    const refused = await tidepool(argv)
    assert.is(refused.code, 1)
    assert.match(refused.stderr, /nothing can be saved first/)
    assert.ok(await isThere(ours))
    assert.is((await tidepool([...argv, '--unsaved'])).code, 0)
    assert.not.ok(await isThere(ours))
  }))

test.run()
