/** Commands that outlive their process are found, ended, and where they can't be, known as stuck; nobody else's are. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { endLeftovers } from '../../../native/zfs/leftovers.ts'
import { Commands } from '../../../native/zfs/run.ts'
import { processOf } from '../../../pipeline/base/process.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { outlivedCommand } from '../../support/outlived.ts'
import { within } from '../../support/within.ts'

const test = suite('zfs leftovers')
/** Of this test alone: a daemon of another one that starts meanwhile must not take it for a leftover of its own. */
const DATASET = `left-${process.pid}/projects/p`
const isMeant = (args: readonly string[]): boolean => args.includes(DATASET)
const QUICK = { termGraceMs: 100, killGraceMs: 2000 }

/** `zfs` is that script; `left` leaves one behind that has begun. */
async function withScript(
  script: string,
  body: (world: {
    zfs: string
    directory: string
    left: (how?: 'here' | 'launcher') => Promise<void>
  }) => Promise<void>,
): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    const zfs = join(path, 'zfs')
    const begun = join(path, 'begun')
    await writeFile(zfs, `#!/bin/sh\n${script}\n`)
    await chmod(zfs, 0o755)
    await body({
      zfs,
      directory: path,
      left: (how) => outlivedCommand(zfs, ['destroy', DATASET], async () => existsSync(begun), how),
    })
  } finally {
    await remove()
  }
}

const HANGS = 'touch "$(dirname "$0")/begun"; sleep 60'

for (const how of ['here', 'launcher'] as const)
  test(`one that goes on is ended, with what it started, be it deaf to SIGTERM: begun by ${how}`, () =>
    withScript(`trap '' TERM; ${HANGS}`, async ({ zfs, left }) => {
      await left(how)
      const commands = new Commands({ zfs, ...QUICK })
      const { ended, stuck } = await endLeftovers(commands, isMeant)
      assert.equal(
        ended.map(({ command }) => command),
        [`zfs destroy ${DATASET}`],
      )
      assert.equal([stuck, commands.stuck], [[], []])
      assert.equal(await endLeftovers(commands, isMeant), { ended: [], stuck: [] })
    }))

test('one that is done soon is left to be done', () =>
  withScript('cd "$(dirname "$0")"; touch begun; sleep 1; touch done', async ({ zfs, directory, left }) => {
    await left()
    const commands = new Commands({ zfs, ...QUICK, termGraceMs: 20_000 })
    assert.is((await endLeftovers(commands, isMeant)).ended.length, 1)
    // One that was signalled would never get there.
    await within(20_000, () => existsSync(join(directory, 'done')))
  }))

test('one that can’t be ended is stuck until it does end', () =>
  withScript(HANGS, async ({ zfs, left }) => {
    await left()
    const deaf = new Commands({ zfs, termGraceMs: 20, killGraceMs: 20 }, { kill: () => {} })
    const { ended, stuck } = await endLeftovers(deaf, isMeant)
    assert.equal(ended, [])
    const [one] = deaf.stuck
    assert.is(one?.command, `zfs destroy ${DATASET}`)
    assert.equal(one?.args, ['destroy', DATASET])
    assert.is(one?.pid, stuck[0]?.pid)
    process.kill(-(one?.pid ?? 0), 'SIGKILL')
    await within(20_000, () => deaf.stuck.length === 0)
  }))

test('neither one whose process lives nor one that somebody else began is touched', () =>
  withScript(HANGS, async ({ zfs, directory }) => {
    const stop = new AbortController()
    const commands = new Commands({ zfs, ...QUICK })
    const running = commands.change('zfs', ['destroy', DATASET], { signal: stop.signal })
    const others = spawn(zfs, ['destroy', DATASET], { stdio: 'ignore', detached: true })
    await within(20_000, () => existsSync(join(directory, 'begun')))
    assert.equal(await endLeftovers(commands, isMeant), { ended: [], stuck: [] })
    assert.ok(processOf(others.pid ?? 0))
    process.kill(-(others.pid ?? 0), 'SIGKILL')
    stop.abort(new Error('enough'))
    await running.then(
      () => assert.unreachable('it was ended'),
      (error: Error) => assert.is(error.message, 'enough'),
    )
  }))

test.run()
