/** Projects that go to and fro between two pools, as plain users made them: all that a directory tree can be arrives unchanged. */
import { execFile } from 'node:child_process'
import { chown, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { close } from '../../daemon/projects/close.ts'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { evict } from '../../daemon/projects/evict.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import { open } from '../../daemon/projects/open.ts'
import { save } from '../../daemon/projects/save.ts'
import { treeDigest, treeLines } from '../../native/tree/digest.ts'
import { destroyDataset, setProperties } from '../../native/zfs/dataset.ts'
import { mount, unmount } from '../../native/zfs/mount.ts'
import { childOf, datasetName } from '../../native/zfs/names.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { all } from '../contracts/values.ts'
import { withDirectoryStore } from '../support/directory-store.ts'
import { projectHost } from '../support/project-host.ts'
import { int, runSeed, seeded } from '../support/random.ts'
import { asPlainUser, PLAIN, TreeChanges } from '../support/tree-changes.ts'
import { type RealZfs, withPool } from '../support/zfs-pool.ts'

const test = suite('projects handed over')
const share = Number(process.env.TIDEPOOL_LONG ?? 0.1)
const P = projectId('p1')

interface Hosts {
  readonly a: ProjectHost
  readonly b: ProjectHost
  readonly world: RealZfs
  /** Of the directory store that they share. */
  readonly store: string
}

const withTwoHosts = (body: (hosts: Hosts) => Promise<void>): Promise<void> =>
  withDirectoryStore((store, path) =>
    withPool((world) =>
      withPool(async (other) => {
        const a = await projectHost(world, store, { name: 'a' })
        const b = await projectHost(other, store, { name: 'b' })
        await body({ a, b, world, store: path })
      }),
    ),
  )

/** Line by line where they differ: a digest alone would not say what was lost. */
async function sameTree(path: string, before: readonly string[], what: string): Promise<void> {
  assert.is((await all(treeLines(path))).join('\n'), before.join('\n'), what)
}

const turns = Math.ceil(30 * share)

test(`${turns} times, changed each time, it is the same tree afterwards, down to a restore by hand`, () =>
  withTwoHosts(async ({ a, b, world, store }) => {
    const random = seeded(runSeed('hand-over'))
    const changes = new TreeChanges(random)
    let { path } = await createProjectHere(a, P, { owner: PLAIN })
    let before = await all(treeLines(path))
    assert.match(before[0] as string, `dir . 700 ${PLAIN.uid}:${PLAIN.gid}`)
    for (let turn = 0; turn < turns; turn++) {
      const [from, to] = turn % 2 === 0 ? [a, b] : [b, a]
      // The first is handed over as it was made, with nothing in it.
      if (turn > 0) await asPlainUser(path, changes.draw(int(random, 1, 30)))
      before = await all(treeLines(path))
      // Now and then from nothing.
      if (turn % 5 === 4) await evict(from, P)
      else await close(from, P)
      const opened = await open(to, P)
      assert.equal(opened.setAside, [], `turn ${turn}`)
      path = opened.path
      await sameTree(path, before, `turn ${turn}`)
    }
    assert.ok(before.length > turns, `only ${before.length} entries`)
    await restoredByHand(world, join(store, 'projects', P), before)
  }))

/** As the design page promises it: the files of a directory store, a shell, and no Tidepool. */
async function restoredByHand(world: RealZfs, files: string, before: readonly string[]): Promise<void> {
  const target = childOf(datasetName(world.parent.split('/')[0] as string), 'by-hand')
  const loop = `while read -r s; do zfs receive -u "$1" < "$s" || exit 1; done < chain`
  await promisify(execFile)('sh', ['-c', loop, 'sh', target], { cwd: files })
  const path = join(world.directory, 'by-hand')
  await setProperties(world.zfs, target, { mountpoint: path, canmount: 'noauto' })
  await mount(world.zfs, target)
  await sameTree(path, before, 'restored by hand')
  await unmount(world.zfs, target)
  await destroyDataset(world.zfs, target, { withSnapshots: true })
}

const many = Math.ceil(10_000 * share)

test(`${many} small files are all there`, () =>
  withTwoHosts(async ({ a, b }) => {
    const { path } = await createProjectHere(a, P, { owner: PLAIN })
    const making = `i=0
      while [ $i -lt ${many} ]; do
        [ $((i % 100)) != 0 ] || mkdir d$i
        echo "content $i" > d$((i / 100 * 100))/f$i
        i=$((i + 1))
      done`
    await asPlainUser(path, making)
    const before = await treeDigest(path)
    assert.is(before.entries, 1 + many + Math.ceil(many / 100))
    await close(a, P)
    assert.equal(await treeDigest((await open(b, P)).path), before)
  }))

test('its owner alone gets into it, saved, evicted and opened elsewhere as before', () =>
  withTwoHosts(async ({ a, b }) => {
    const { path } = await createProjectHere(a, P, { owner: PLAIN })
    await asPlainUser(path, 'echo mine > file; chmod 0600 file')
    await save(a, P)
    await evict(a, P)
    const { path: there } = await open(b, P)
    assert.is(await asPlainUser(there, 'cat file'), 'mine\n')
    await asPlainUser(there, 'echo more >> file')
    assert.is(await readFile(join(there, 'file'), 'utf8'), 'mine\nmore\n')
    // Handed to root, it is closed to the one that had it.
    await chown(there, 0, 0)
    try {
      await asPlainUser('/', `cat '${join(there, 'file')}'`)
    } catch (error) {
      assert.match(String(error), 'Permission denied')
      return
    }
    assert.unreachable('somebody else reads it')
  }))

test.run()
