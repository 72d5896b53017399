import { chmod, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FuseLayer } from '../../daemon/access/fuse-layer.ts'
import type { AccessLayer } from '../../daemon/access/layer.ts'
import { listProjects } from '../../daemon/access/list-projects.ts'
import { openProjects } from '../../daemon/access/open-projects.ts'
import type { Opens } from '../../daemon/access/opens.ts'
import type { Engine } from '../../daemon/projects/engine.ts'
import { exists } from '../../native/zfs/get.ts'
import { childOf } from '../../native/zfs/names.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { AccessWorld } from '../support/access.ts'
import { startEngine } from '../support/engine.ts'
import { walk, withFuseWorld } from '../support/fuse.ts'
import { PLAIN } from '../support/tree-changes.ts'
import { withPool } from '../support/zfs-pool.ts'

const test = suite('access: projects on a real ZFS')

const P = projectId('p1')

interface World {
  readonly engine: Engine
  readonly layer: AccessLayer
  readonly opens: Opens
  readonly opened: ProjectId[]
  readonly access: AccessWorld
  readonly hasDataset: (id: ProjectId) => Promise<boolean>
}

const withProjects = (body: (world: World) => Promise<void>): Promise<void> =>
  withFuseWorld((fuse, started) =>
    withPool(async (pool) => {
      const store = memoryStore()
      const engine = await startEngine(pool, store, join(pool.directory, 'state'))
      await chmod(pool.directory, 0o711)
      await chmod(pool.mounts, 0o711).catch(() => {})
      const access = new AccessWorld({ ...fuse, mountRoot: engine.host.mountRoot }, started)
      const opens = openProjects(engine)
      const layer = new FuseLayer({ socket: access.socket })
      const opened: ProjectId[] = []
      await layer.start({
        open: (id, signal) => {
          opened.push(id)
          return opens.open(id, { signal })
        },
        listed: (what) => listProjects(engine, what),
        used: () => {},
      })
      try {
        await access.serve()
        const hasDataset = (id: ProjectId) => exists(pool.zfs, childOf(pool.parent, id))
        await body({ engine, layer, opens, opened, access, hasDataset })
      } finally {
        await layer.stop()
        await opens.stop()
        await engine.stop()
      }
    }),
  )

test('closed, evicted or never here: its owner’s first touch has it open, and nobody else’s is let in', () =>
  withProjects(async ({ engine, layer, opened, access, hasDataset }) => {
    const { path } = await engine.create(P, { owner: PLAIN })
    const file = `${access.root}/p1/notes`
    assert.is((await walk(`echo first > ${file} && cat ${file}`, { plain: true })).stdout, 'first\n')
    assert.equal(opened, [], 'it was mounted already')
    assert.equal(await readdir(path), ['notes'])
    await engine.close(P)
    await layer.forget(P)
    assert.is((await walk(`cat ${file}; echo second >> ${file}`, { plain: true })).stdout, 'first\n')
    assert.equal(opened, [P])
    await engine.evict(P)
    assert.not(await hasDataset(P))
    await layer.forget(P)
    assert.is((await walk(`cat ${file}`, { plain: true })).stdout, 'first\nsecond\n', 'from the store')
    assert.ok(await hasDataset(P))
    assert.equal(opened, [P, P])
    const other = 'setpriv --reuid 54322 --regid 54322 --clear-groups'
    assert.match((await walk(`${other} cat ${file}`)).stderr, /Permission denied/)
    await engine.close(P)
  }))

test('what nobody made, and what was destroyed, does not exist', () =>
  withProjects(async ({ engine, layer, access, hasDataset }) => {
    const touch = async () => (await walk(`ls ${access.root}/p1/`, { plain: true })).stderr
    assert.match(await touch(), /No such file or directory/)
    assert.not(await hasDataset(P))
    await engine.create(P, { owner: PLAIN })
    assert.is(await touch(), '')
    await engine.destroy(P)
    await layer.forget(P)
    assert.match(await touch(), /No such file or directory/)
  }))

test('where nothing is mounted nobody can write, not even between an unmount and the next open', () =>
  withProjects(async ({ engine, layer, access }) => {
    await engine.create(P, { owner: PLAIN })
    const lines = `e=$(($(date +%s) + 8)); n=0; while [ $(date +%s) -lt $e ]; do n=$((n + 1)); echo $n >> ${access.root}/p1/log || :; done; echo $n`
    const writing = walk(lines, { plain: true, limitMs: 60_000 })
    for (let round = 0; round < 4; round++) {
      await sleep(500)
      // In use it stays; who wrote just now may write again.
      await engine.close(P).catch(() => {})
      await layer.forget(P)
    }
    await writing
    await engine.open(P)
    await engine.close(P)
    assert.equal(
      await readdir(join(engine.host.mountRoot)).then((names) => names.filter((name) => name !== P)),
      [],
    )
    assert.equal(
      await readdir(join(engine.host.mountRoot, P)).catch(() => []),
      [],
      'nothing lies below the mount',
    )
    const { path } = await engine.open(P)
    assert.equal(await readdir(path), ['log'])
    await engine.close(P)
  }))

test.run()
