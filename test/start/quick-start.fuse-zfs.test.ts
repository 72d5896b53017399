/** What the README begins with, in a checkout of its own: started, touched, killed, started again, put away. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { daemonOf, ended, withCheckout } from '../support/checkout.ts'

const test = suite('quick start')
test('created, written, closed and touched, the file is there; through a kill, a Ctrl-C, and when all was put away', () =>
  withCheckout(async ({ root, start, sh }) => {
    const first = await start()
    const made = await sh(
      'bin/tidepool create home1 && echo hello > projects/home1/file && bin/tidepool close home1',
    )
    assert.is(made.code, 0, made.stderr)
    const touched = await sh('cat projects/home1/file')
    assert.is(touched.stdout, 'hello\n', touched.stderr)
    assert.match((await sh('bin/tidepool ls')).stdout, /home1 +mounted/)
    assert.match((await sh('cat projects/nobody')).stderr, /No such file/)

    // Walks into what is mounted go on while no daemon is there.
    const walks = sh(
      'for i in $(seq 300); do cat projects/home1/file > /dev/null || exit 1; sleep 0.02; done',
    )
    const daemon = await daemonOf(root)
    await ended(first, () => process.kill(daemon, 'SIGKILL'))
    const second = await start()
    assert.is((await walks).code, 0, (await walks).stderr)
    assert.is((await sh('bin/tidepool save home1')).code, 0)

    const again = await daemonOf(root)
    await ended(second, () => process.kill(again, 'SIGINT'))
    const mounts = (await readMounts()).map(({ mountPoint }) => mountPoint)
    assert.ok(mounts.includes(join(root, '.tidepool/mnt/home1')), 'what was mounted stays so')
    assert.not(mounts.includes(join(root, 'projects')), 'the root of links has gone with it')

    const third = await start()
    const restored = await sh(
      'bin/tidepool restore home1 --at 2100-01-01 | sed -n 1p | xargs -I {} cat {}/file',
    )
    assert.is(restored.stdout, 'hello\n', restored.stderr)
    const serving = await daemonOf(root)
    await ended(third, () => process.kill(serving, 'SIGINT'))

    const put = await sh('npm stop')
    assert.is(put.code, 0, put.stderr)
    assert.match(put.stdout, /home1 is saved\n.* is put away/)
    assert.not((await sh('zpool list -H -o name')).stdout.includes((await poolOf(root)) ?? '?'))

    const nothing = await sh('npm stop')
    assert.is(nothing.code, 0, nothing.stderr)
    assert.match(nothing.stdout, /nothing is to be saved or put away/)

    const fourth = await start()
    assert.is((await sh('cat projects/home1/file')).stdout, 'hello\n')
    const last = await daemonOf(root)
    await ended(fourth, () => process.kill(last, 'SIGTERM'))
    assert.is((await stat(join(root, '.tidepool/store'))).isDirectory(), true)
  }))

const poolOf = async (root: string): Promise<string | undefined> =>
  /dataset: ([^/]+)\//.exec(await readFile(join(root, '.tidepool/tidepool.yaml'), 'utf8'))?.[1]

test.run()
