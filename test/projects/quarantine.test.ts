/** A command that can't be ended costs its project, and nothing else. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { configInPlace } from '../../daemon/config/in-place.ts'
import { parseConfig } from '../../daemon/config/read.ts'
import { Daemon, socketOf } from '../../daemon/daemon.ts'
import { idOfName } from '../../daemon/projects/names.ts'
import { datasetName } from '../../native/zfs/names.ts'
import { Commands } from '../../native/zfs/run.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { rejection } from '../contracts/values.ts'
import { tidepool } from '../support/command.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { outlivedCommand } from '../support/outlived.ts'
import { until, within } from '../support/within.ts'

const test = suite('projects: quarantine')
const [P, Q] = [projectId('p1'), projectId('q1')]

test('whose a name is: below the parent alone, whatever stands behind it', () => {
  const parent = datasetName('tank/projects')
  for (const [text, id] of [
    ['tank/projects/p1', 'p1'],
    ['tank/projects/p1@tidepool-1', 'p1'],
    ['tank/projects/p1#mark', 'p1'],
    ['tank/projects/receiving.p1.00ff', 'p1'],
    ['tank/projects', undefined],
    ['other/projects/p1', undefined],
    ['list', undefined],
    ['mountpoint=/mnt/p1', undefined],
  ] as const)
    assert.is(idOfName(parent, text), id, text)
})

test('a daemon that comes after one that was killed leaves its project alone, too, until it ends', () =>
  withFakeZfs(async (fake) => {
    // Of this test alone: a daemon of another one that starts meanwhile must not take the command for a leftover of its own.
    const dataset = `tank/left-${process.pid}`
    await fake.zfs.commands.change('zfs', ['create', '-o', 'canmount=off', '-o', 'mountpoint=none', dataset])
    const config = parseConfig(configInPlace(fake.directory, { store: 'dir:/unused', dataset }), 'test.yaml')
    const store = memoryStore()
    const start = (zfs: Zfs) => {
      const limiter = fixedLimiter({ count: 8, maxBytes: 64 * 2 ** 20 })
      const openStore = async () => ({ store, limiter, close: async () => {} })
      return Daemon.start(config, undefined, { openStore, zfs })
    }
    const first = await start(fake.zfs)
    for (const id of [P, Q]) await first.engine.create(id)
    await first.stop()
    const hangs = `${dataset}/p1`
    const receiving = `${dataset}/receiving.p1.00ff`
    await fake.zfs.commands.change('zfs', ['create', receiving])
    await fake.faults({ match: '^zfs set tidepool:x', action: 'hang', times: 1 })
    await fake.calls()
    await outlivedCommand(join(fake.directory, 'zfs'), ['set', 'tidepool:x=1', hangs], async () =>
      (await fake.calls()).some((line) => line.endsWith(hangs)),
    )
    // As in state D: signals do nothing.
    const deaf = new Commands({ ...fake.settings, termGraceMs: 20, killGraceMs: 20 }, { kill: () => {} })
    const daemon = await start({ ...fake.zfs, commands: deaf })
    const { engine } = daemon
    try {
      const [stuck] = engine.found.outlived.stuck
      assert.is(stuck?.command, `zfs set tidepool:x=1 ${hangs}`)
      for (const act of [() => engine.open(P), () => engine.save(P)])
        assert.is(codeOf(await rejection(act())), 'project-quarantined')
      assert.match(engine.found.left.map(({ what }) => what).join(), `removal of ${receiving}`)
      await engine.save(Q)
      process.kill(-(stuck?.pid ?? 0), 'SIGKILL')
      await within(20_000, () => deaf.stuck.length === 0)
      await engine.open(P)
    } finally {
      await daemon.stop()
    }
    const after = await start(fake.zfs)
    assert.equal(after.engine.found.outlived, { ended: [], stuck: [] })
    assert.equal(after.engine.found.removed, [receiving])
    await after.stop()
  }))

test('while it lasts nothing is done with its project, and status, why and the errors say so; others go on', () =>
  withFakeZfs(
    async (fake) => {
      // As in state D: signals do nothing.
      const deaf = { kill: () => {} }
      const zfs = { ...fake.zfs, commands: new Commands(fake.settings, deaf) }
      const at = (name: string): string => join(fake.directory, name)
      const config = parseConfig(
        [
          'store: dir:/unused',
          `dataset: ${fake.parent}`,
          ...['access: projects', 'mounts: mnt', 'state: state', 'run: run'].map((line) => {
            const [key, name = ''] = line.split(': ')
            return `${key}: ${at(name)}`
          }),
        ].join('\n'),
        'test.yaml',
      )
      const limiter = fixedLimiter({ count: 8, maxBytes: 64 * 2 ** 20 })
      const opened = { store: memoryStore(), limiter, close: async () => {} }
      const daemon = await Daemon.start(config, undefined, { openStore: async () => opened, zfs })
      const { engine } = daemon
      const run = (...args: string[]) => tidepool(['--socket', socketOf(config), ...args])
      try {
        for (const id of [P, Q]) await engine.create(id)
        await fake.faults({ match: '^zfs unmount .*/p1$', action: 'hang', times: 1 })
        const stop = new AbortController()
        const closing = rejection(engine.close(P, { signal: stop.signal }))
        await until('the unmount', async () =>
          (await fake.calls()).some((line) => /^zfs unmount .*p1$/.test(line)),
        )
        stop.abort(new Error('enough'))
        assert.is(codeOf(await closing), 'zfs-stuck')
        const [stuck] = zfs.commands.stuck
        assert.ok(stuck)
        for (const act of [() => engine.open(P), () => engine.save(P), () => engine.evict(P)])
          assert.is(codeOf(await rejection(act())), 'project-quarantined')
        await engine.save(Q)
        await engine.close(Q)
        const status = await run('status')
        assert.is(status.code, 1)
        assert.match(status.stdout.toString(), new RegExp(`zfs unmount \\S+/p1 \\(${stuck.pid}\\), since`))
        assert.match(status.stdout.toString(), /warning: 1 commands of ZFS cannot be ended/)
        const one = await run('status', P)
        assert.is(one.code, 1)
        assert.match(one.stdout.toString(), /left alone +for `zfs unmount/)
        assert.match((await run('why', P)).stdout.toString(), /left alone/)
        assert.is((await run('status', Q)).code, 0)
        process.kill(-stuck.pid, 'SIGKILL')
        for (let tries = 0; zfs.commands.stuck.length > 0; tries++) {
          assert.ok(tries < 1000, 'it is still listed')
          await sleep(10)
        }
        await engine.open(P)
        assert.is((await run('status')).code, 0)
      } finally {
        await daemon.stop()
      }
    },
    { termGraceMs: 20, killGraceMs: 20 },
  ))

test.run()
