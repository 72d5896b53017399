/** What the README begins with, in a checkout of its own: started, touched, killed, started again, put away. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { eventually, type Walked, walk } from '../support/fuse.ts'

const test = suite('quick start')
const TOP = fileURLToPath(new URL('../..', import.meta.url))
const PARTS = ['bin', 'daemon', 'native', 'pipeline', 'package.json', 'package-lock.json', 'tsconfig.json']

interface Checkout {
  readonly root: string
  /** Resolves once it serves; with the process of npm. */
  readonly start: () => Promise<ChildProcess>
  readonly sh: (lines: string) => Promise<Walked>
}

async function withCheckout(body: (checkout: Checkout) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'tidepool-test-checkout-'))
  const sh = (lines: string): Promise<Walked> => walk(`cd ${root}; ${lines}`, { limitMs: 60_000 })
  const start = async (): Promise<ChildProcess> => {
    const child = spawn('npm', ['start'], { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (printed += text))
    await eventually(`npm start serves:\n${printed}`, 60_000, async () => {
      assert.is(child.exitCode, null, printed)
      return printed.includes('Ctrl-C ends it')
    })
    return child
  }
  try {
    for (const part of PARTS) await cp(join(TOP, part), join(root, part), { recursive: true })
    await symlink(join(TOP, 'node_modules'), join(root, 'node_modules'))
    await body({ root, start, sh })
  } finally {
    await sh('npm stop')
    await rm(root, { recursive: true, force: true })
  }
}

const daemonOf = async (root: string): Promise<number> =>
  Number(await readFile(join(root, '.tidepool/up.pid'), 'utf8'))

async function ended(child: ChildProcess, act: () => void): Promise<void> {
  const closed = once(child, 'close')
  act()
  await closed
}

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

    const fourth = await start()
    assert.is((await sh('cat projects/home1/file')).stdout, 'hello\n')
    const last = await daemonOf(root)
    await ended(fourth, () => process.kill(last, 'SIGTERM'))
    assert.is((await stat(join(root, '.tidepool/store'))).isDirectory(), true)
  }))

const poolOf = async (root: string): Promise<string | undefined> =>
  /dataset: ([^/]+)\//.exec(await readFile(join(root, '.tidepool/tidepool.yaml'), 'utf8'))?.[1]

test.run()
