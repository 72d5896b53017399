/** A command that can't be ended costs its project, and nothing else. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseConfig } from '../../daemon/config/read.ts'
import { Daemon, socketOf } from '../../daemon/daemon.ts'
import { idOfName } from '../../daemon/projects/names.ts'
import { datasetName } from '../../native/zfs/names.ts'
import { Commands } from '../../native/zfs/run.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { rejection } from '../contracts/values.ts'
import { tidepool } from '../support/command.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

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
        while (!(await fake.calls()).some((line) => /^zfs unmount .*p1$/.test(line))) await sleep(20)
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
