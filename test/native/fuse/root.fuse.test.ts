import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { abortConnection } from '../../../native/fuse/connection.ts'
import { detachRoots, isOurRoot } from '../../../native/fuse/stale.ts'
import { readMounts } from '../../../native/mount/mountinfo.ts'
import { codeOf } from '../../../pipeline/base/errors.ts'
import {
  eventually,
  type FuseWorld,
  killed,
  type Program,
  type Started,
  walk,
  withFuseWorld,
} from '../../support/fuse.ts'

const test = suite('fuse: root')

const SCRIPT = fileURLToPath(new URL('../../support/fuse-root-child.ts', import.meta.url))

async function serving(world: FuseWorld, started: Started, ...probe: string[]): Promise<Program> {
  const target = join(world.mountRoot, 'good')
  await mkdir(target, { recursive: true })
  await writeFile(join(target, 'file'), 'hello')
  return started.program(SCRIPT, [world.root, target, ...probe], 'serving')
}

const mountsAt = async (root: string) => (await readMounts()).filter(({ mountPoint }) => mountPoint === root)

test('links are followed by root and by plain users, and the root is read-only, without devices and set-uid', () =>
  withFuseWorld(async (world, started) => {
    await serving(world, started)
    for (const plain of [false, true]) {
      const { stdout } = await walk(`cat ${world.root}/good/file && ls ${world.root}`, { plain })
      assert.match(stdout, /^hello/)
      assert.match(stdout, /never/)
    }
    const [mount] = await mountsAt(world.root)
    for (const option of ['ro', 'nosuid', 'nodev']) assert.ok(mount?.options.includes(option), option)
    assert.ok(mount && isOurRoot(mount))
  }))

test('a handler that fails in any way costs its caller an errno and nobody else anything', () =>
  withFuseWorld(async (world, started) => {
    const { printed } = await serving(world, started)
    const follow = async (name: string) =>
      (await walk(`stat -L ${world.root}/${name}`, { plain: true })).stderr
    assert.match(await follow('throws'), /Input\/output error/)
    assert.match(await follow('rejects'), /Input\/output error/)
    assert.match(await follow('busy'), /Device or resource busy/)
    assert.match(await follow('never'), /Connection timed out/)
    assert.match(printed(), /readlink: thrown at once/)
    assert.is((await walk(`cat ${world.root}/good/file`)).stdout, 'hello')
  }))

test('a late answer reaches nobody: neither its own caller nor the next', () =>
  withFuseWorld(async (world, started) => {
    await serving(world, started)
    const { stderr } = await walk(`readlink -v ${world.root}/late`)
    assert.match(stderr, /Connection timed out/)
    // Over the moment when it comes.
    const { stdout } = await walk(
      `for i in $(seq 100); do readlink ${world.root}/good; sleep 0.01; done | sort | uniq -c`,
    )
    assert.match(stdout, new RegExp(`^ *100 ${join(world.mountRoot, 'good')}\n$`))
  }))

test('a process that is busy for half a second only makes walks wait for it', () =>
  withFuseWorld(async (world, started) => {
    await serving(world, started)
    const { stdout } = await walk(
      `stat -L ${world.root}/stall >/dev/null & cat ${world.root}/good/file; wait`,
    )
    assert.is(stdout, 'hello')
  }))

test('unmounted by somebody, it is there again soon; on SIGTERM it is gone', () =>
  withFuseWorld(async (world, started) => {
    const { child, printed } = await serving(world, started)
    for (let times = 0; times < 3; times++) {
      await walk(`umount -l ${world.root}`)
      assert.equal(await mountsAt(world.root), [])
      await eventually('mounted again', 5000, async () => (await mountsAt(world.root)).length === 1)
      assert.is((await walk(`cat ${world.root}/good/file`, { plain: true })).stdout, 'hello')
    }
    assert.match(printed(), /was unmounted by somebody/)
    await killed(child, 'SIGTERM')
    assert.is(child.exitCode, 0)
    assert.equal(await mountsAt(world.root), [])
  }))

test('where walks are not answered any more, it lets go of who waits, and leaves the root to another process', () =>
  withFuseWorld(async (world, started) => {
    const { child, printed } = await serving(world, started, 'never')
    await eventually('it gives up', 15_000, async () => child.exitCode !== null)
    assert.match(printed(), /did not answer 2 walks.*\nsilent/)
    assert.equal(await mountsAt(world.root), [])
  }))

/** Each of them is a thread of the addon. */
const manyWait = (root: string) =>
  Promise.all(Array.from({ length: 50 }, () => walk(`readlink ${root}/late`)))

test('a process that has had many threads leaves the root to another one once nobody walks or waits any more', () =>
  withFuseWorld(async (world, started) => {
    const { child, printed } = await serving(world, started, 'good', '40')
    const lines = `for i in $(seq 40); do readlink ${world.root}/good || exit 1; sleep 0.05; done`
    const [walked] = await Promise.all([walk(lines, { plain: true }), manyWait(world.root)])
    assert.is(walked.code, 0, walked.stderr)
    assert.is(child.exitCode, null, printed())
    await eventually('it ends', 5000, async () => child.exitCode !== null)
    assert.match(printed(), /threads have answered.*\nworn-out/)
    assert.equal(await mountsAt(world.root), [])
  }))

test('with too many threads it leaves the root to another one, whoever walks', () =>
  withFuseWorld(async (world, started) => {
    const { child, printed } = await serving(world, started, 'good', '40', '45')
    const walking = walk(`while readlink ${world.root}/good; do sleep 0.05; done`)
    await manyWait(world.root)
    await eventually('it ends', 5000, async () => child.exitCode !== null)
    assert.match(printed(), /worn-out/)
    await walking
  }))

test('what lies in the way of mounting it again is told once, and gone it is mounted again', () =>
  withFuseWorld(async (world, started) => {
    const { printed } = await serving(world, started)
    await walk(`umount -l ${world.root} && mount -t tmpfs none ${world.root}`)
    await eventually('it is told', 5000, async () => printed().includes('was unmounted by somebody'))
    await new Promise((resolve) => setTimeout(resolve, 1000))
    assert.is(printed().match(/was unmounted by somebody/g)?.length, 1)
    await walk(`umount ${world.root}`)
    await eventually('mounted again', 5000, async () => (await mountsAt(world.root)).some(isOurRoot))
    assert.is((await walk(`cat ${world.root}/good/file`)).stdout, 'hello')
  }))

test('killed roots are taken away by the next start, also one on another', () =>
  withFuseWorld(async (world, started) => {
    const { child } = await serving(world, started)
    await walk(`mount --bind ${world.root} ${world.root}`)
    assert.is((await mountsAt(world.root)).length, 2)
    await killed(child)
    assert.match((await walk(`ls ${world.root}`)).stderr, /not connected/)
    const again = await serving(world, started)
    assert.match(again.printed(), /took away 2 roots/)
    assert.is((await mountsAt(world.root)).length, 1)
    assert.is((await walk(`cat ${world.root}/good/file`)).stdout, 'hello')
  }))

test('a directory that holds something, or on which something else is mounted, is not covered', () =>
  withFuseWorld(async (world) => {
    const refused = async () => {
      try {
        await detachRoots(world.root)
      } catch (error) {
        return codeOf(error)
      }
      return undefined
    }
    assert.is(await refused(), undefined)
    await writeFile(join(world.root, 'file'), '')
    assert.is(await refused(), 'root-taken')
    await walk(`mount -t tmpfs none ${world.root}`)
    assert.is(await refused(), 'root-taken')
    assert.is((await mountsAt(world.root)).length, 1)
  }))

test('whoever waits in a root that hangs is let go when its connection is aborted', () =>
  withFuseWorld(async (world, started) => {
    const { child } = await serving(world, started)
    child.kill('SIGSTOP')
    const waiting = walk(`stat -L ${world.root}/good`)
    const [mount] = await mountsAt(world.root)
    assert.ok(mount)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await abortConnection(mount)
    assert.match((await waiting).stderr, /abort|not connected/i)
    child.kill('SIGCONT')
  }))

test.run()
