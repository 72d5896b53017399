import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FuseLayer } from '../../daemon/access/fuse-layer.ts'
import { listProjects } from '../../daemon/access/list-projects.ts'
import { openProjects } from '../../daemon/access/open-projects.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { AccessWorld } from '../support/access.ts'
import { startEngine } from '../support/engine.ts'
import { walk, withFuseWorld } from '../support/fuse.ts'
import { PLAIN } from '../support/tree-changes.ts'
import { withPool } from '../support/zfs-pool.ts'

const test = suite('access: what nobody uses is unmounted')

const P = projectId('p1')
const never = new AbortController().signal

test('whoever comes while it is being unmounted reads his file, each time', () =>
  withFuseWorld((fuse, started) =>
    withPool(async (pool) => {
      let layer: FuseLayer | undefined
      const engine = await startEngine(pool, memoryStore(), join(pool.directory, 'state'), {
        // As if the quarter of an hour were over each time that it is looked at.
        residency: { highWatermark: 1, lowWatermark: 1, idleGraceMs: 0, unmountIdleAfterMs: 0 },
        unmounting: async (id) => layer?.hold(id),
        unmounted: async (id) => layer?.forget(id),
      })
      await chmod(pool.directory, 0o711)
      const access = new AccessWorld({ ...fuse, mountRoot: engine.host.mountRoot }, started)
      const opens = openProjects(engine)
      layer = new FuseLayer({ socket: access.socket })
      await layer.start({
        open: (id, signal) => opens.open(id, { signal }),
        listed: (what) => listProjects(engine, what),
        used: () => {},
      })
      try {
        const { path } = await engine.create(P, { owner: PLAIN })
        await writeFile(join(path, 'notes'), 'here\n', { mode: 0o644 })
        await access.serve()
        const reads = `e=$(($(date +%s) + 10)); n=0; while [ $(date +%s) -lt $e ]; do n=$((n + 1)); cat ${access.root}/p1/notes >/dev/null || echo failed; done; echo read $n`
        let isOver = false
        const reading = walk(reads, { plain: true, limitMs: 120_000 }).finally(() => {
          isOver = true
        })
        let unmounts = 0
        while (!isOver) unmounts += (await engine.sweeper.sweep(never)).unmounted.length
        const { stdout, stderr } = await reading
        assert.match(stdout, /^read [0-9]+\n$/)
        assert.is(stderr, '')
        assert.ok(unmounts > 0, 'it was unmounted under them')
      } finally {
        await layer.stop()
        await opens.stop()
        await engine.stop()
      }
    }),
  ))

test.run()
