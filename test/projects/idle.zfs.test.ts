/** Who is in a project shows only in the mounts of a kernel. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { rejection } from '../contracts/values.ts'
import { startEngine } from '../support/engine.ts'
import { orphanIn } from '../support/orphan.ts'
import { withPool } from '../support/zfs-pool.ts'

const test = suite('projects: idle ones of a real pool')
const never = new AbortController().signal
const P = projectId('p')

/** A shell that says when it is there, and ends when its input does. */
async function inhabitant(command: string, args: readonly string[], cwd: string) {
  const child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  return async (): Promise<void> => {
    child.stdin.end()
    await once(child, 'close')
  }
}

test('whoever is in it keeps it mounted, also in a mount namespace of its own; then it goes, and is there again', () =>
  withPool(async (world) => {
    const residency = { highWatermark: 1, lowWatermark: 1, idleGraceMs: 0, unmountIdleAfterMs: 0 }
    const engine = await startEngine(world, memoryStore(), join(world.directory, 'state'), { residency })
    const { path } = await engine.create(P)
    await writeFile(join(path, 'file'), 'kept')
    const wait = ['-c', 'echo in; read -r _']
    const opened = ['-c', 'exec 3< "$0"; echo in; read -r _', join(path, 'file')]
    for (const [command, args, cwd] of [
      ['sh', wait, path],
      ['sh', opened, '/'],
      // Its copy is private: no unmount of ours reaches it.
      ['unshare', ['--mount', 'sh', ...wait], '/'],
    ] as const) {
      const leave = await inhabitant(command, args, cwd)
      const { unmounted, mounted } = await engine.sweeper.sweep(never)
      await leave()
      assert.equal([unmounted, mounted.get(P)], [[], 'in-use'], `${command} in ${cwd}`)
    }
    assert.equal((await engine.sweeper.sweep(never)).unmounted, [P])
    assert.equal(
      (await engine.residents()).map(({ mounted }) => mounted),
      [false],
    )
    const again = await engine.open(P)
    assert.is(again.receivedStreams, 0)
    assert.is(await readFile(join(again.path, 'file'), 'utf8'), 'kept')
    await engine.stop()
  }))

test('a project in which somebody is says who, and is closed once he was ended; nothing that he wrote is lost', () =>
  withPool(async (world) => {
    const engine = await startEngine(world, memoryStore(), join(world.directory, 'state'))
    const { path } = await engine.create(P)
    await writeFile(join(path, 'file'), 'kept')
    const inside = await orphanIn(path, { deaf: true })
    try {
      const busy = await rejection<TidepoolError>(engine.close(P), 'a close')
      assert.is(busy.code, 'dataset-busy')
      assert.match(busy.message, `(${inside.pid}) in ${path}`)
      const { ended, project } = await engine.killAndClose(P, { graceMs: 200 })
      assert.ok(ended.some(({ pid, by }) => pid === inside.pid && by === 'SIGKILL'))
      assert.is(project.statics.owner, null)
      assert.equal((await engine.killAndClose(P)).ended, [], 'closed already')
      const again = await engine.open(P)
      assert.is(await readFile(join(again.path, 'file'), 'utf8'), 'kept')
    } finally {
      inside.end()
      await engine.stop()
    }
  }))

test.run()
