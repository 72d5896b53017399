import { existsSync, readFileSync } from 'node:fs'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ZfsError } from '../../../native/zfs/errors.ts'
import { Launcher } from '../../../native/zfs/launcher.ts'
import { Commands } from '../../../native/zfs/run.ts'
import type { CommandSettings } from '../../../native/zfs/settings.ts'
import { codeOf } from '../../../pipeline/base/errors.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { listening } from '../../support/launcher.ts'

/** What is said here holds for what is started here, and by the launcher. */
const launcher = new Launcher()
for (const helpers of [{}, { launcher }]) {
  const test = suite(`zfs run ${'launcher' in helpers ? 'by the launcher' : 'here'}`)

  test('it is started where it is meant to be', async () => {
    await withScript('echo $PPID', async (commands) => {
      if ('launcher' in helpers) await listening(launcher)
      const by = Number(await commands.read('zfs', []))
      assert.is(by, 'launcher' in helpers ? launcher.pid : process.pid)
    })
  })

  /** `zfs` is a shell script for the time of one test. */
  async function withScript(
    script: string,
    body: (commands: Commands, directory: string) => Promise<void>,
    settings: Partial<CommandSettings> = {},
    kill?: (pid: number, signal: NodeJS.Signals) => void,
  ): Promise<void> {
    const { path, remove } = await temporaryDirectory()
    try {
      const zfs = join(path, 'zfs')
      await writeFile(zfs, `#!/bin/sh\n${script}\n`)
      await chmod(zfs, 0o755)
      await body(
        new Commands(
          { zfs, termGraceMs: 100, killGraceMs: 200, ...settings },
          { ...helpers, ...(kill && { kill }) },
        ),
        path,
      )
    } finally {
      await remove()
    }
  }

  async function rejected(promise: Promise<unknown>): Promise<unknown> {
    try {
      await promise
    } catch (error) {
      return error
    }
    throw new Error('it did not reject')
  }

  test('arguments arrive as they are, in the C locale', () =>
    withScript('printf "%s|" "$LC_ALL" "$@"', async (commands) => {
      const args = ['a b', "it's", '$HOME', '*', '', '--', 'ü\n']
      assert.is(await commands.read('zfs', args), `C|${args.join('|')}|`)
    }))

  test('another status than 0 is an error with what it said', () =>
    withScript(`echo out; echo "cannot open 'p/a': dataset does not exist" >&2; exit 1`, async (commands) => {
      const error = await rejected(commands.change('zfs', ['destroy', 'p/a']))
      assert.instance(error, ZfsError)
      assert.is(codeOf(error), 'dataset-missing')
      assert.match((error as ZfsError).message, /^zfs destroy p\/a failed with exit code 1: cannot open/)
    }))

  test('commands that are to be alone are so among all processes, and none waits for one that was ended', () =>
    withScript(
      'echo begin >>"$1"; sleep 0.05; [ "$2" != fails ] && echo end >>"$1"',
      async (one, directory) => {
        const other = new Commands({ ...one.settings }, helpers)
        const log = join(directory, 'log')
        const alone = join(directory, 'lock')
        const stop = new AbortController()
        const run = (commands: Commands, how = 'ends', signal?: AbortSignal) =>
          commands.change('zfs', [log, how], { alone, signal }).catch(codeOf)
        const all = [run(one), run(other), run(one, 'fails'), run(other, 'ends', stop.signal), run(other)]
        setTimeout(() => stop.abort(new Error('enough')), 20)
        await Promise.all(all)
        await run(one)
        // Of two at once the second would begin before the first ends, and then end behind it.
        const lines = (await readFile(log, 'utf8')).trim()
        assert.not.match(lines, /end\nend/)
        assert.is(lines.match(/end/g)?.length, 4)
      },
    ))

  test('a program that is not there is named', async () => {
    const error = await rejected(new Commands({ zfs: '/no/such/zfs' }, helpers).read('zfs', ['list']))
    assert.is(codeOf(error), 'zfs-missing')
  })

  test('of much stderr the end is kept', () =>
    withScript(
      'i=0; while [ $i -lt 3000 ]; do echo "line $i of what it says" >&2; i=$((i+1)); done; exit 1',
      async (commands) => {
        const error = (await rejected(commands.read('zfs', []))) as ZfsError
        assert.match(error.stderr, /line 2999 of what it says\n$/)
        assert.ok(error.stderr.length <= 32 * 1024 + 3)
      },
    ))

  test('lines come as they are printed, and a failure after them is one', () =>
    withScript('printf "a\\nb\\nc"; exit 1', async (commands) => {
      const seen: string[] = []
      const error = await rejected(
        (async () => {
          for await (const line of commands.lines('zfs', [])) seen.push(line)
        })(),
      )
      assert.equal(seen, ['a', 'b'])
      assert.is(codeOf(error), 'zfs-failed')
    }))

  test('what takes too long is ended', () =>
    withScript('sleep 60 & wait', async (commands) => {
      const error = await rejected(commands.read('zfs', ['list'], { limitMs: 30 }))
      assert.is(codeOf(error), 'zfs-timeout')
      assert.equal(commands.stuck, [])
    }))

  test('what does not hear SIGTERM is killed, and all that it started with it', () =>
    withScript(
      'trap "" TERM; sleep 60 & echo $! > "$(dirname "$0")/pid"; wait; wait',
      async (commands, directory) => {
        const controller = new AbortController()
        const running = commands.read('zfs', ['list'], { signal: controller.signal })
        let pid = ''
        while (pid === '') {
          await sleep(5)
          pid = (await readFile(join(directory, 'pid'), 'utf8').catch(() => '')).trim()
        }
        const reason = new Error('no longer wanted')
        controller.abort(reason)
        assert.is(await rejected(running), reason)
        for (let tries = 0; alive(Number(pid)); tries++) {
          assert.ok(tries < 200, 'the child of the child is left')
          await sleep(5)
        }
      },
    ))

  test('what it leaves behind is ended with it', () =>
    withScript('sleep 60 & echo $! > "$(dirname "$0")/pid"; echo done', async (commands, directory) => {
      assert.is(await commands.read('zfs', ['list']), 'done\n')
      const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'))
      for (let tries = 0; alive(pid); tries++) {
        assert.ok(tries < 200, 'it is left')
        await sleep(5)
      }
    }))

  /** A zombie is dead: its new parent may take its time to bury it. */
  function alive(pid: number): boolean {
    try {
      return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
    } catch {
      return false
    }
  }

  test('what cannot be ended gives its place back and is listed until it ends', async () => {
    const pids: number[] = []
    await withScript(
      'sleep 60',
      async (commands) => {
        const error = await rejected(commands.change('zfs', ['destroy', 'p/a'], { limitMs: 30 }))
        assert.is(codeOf(error), 'zfs-stuck')
        const [stuck] = commands.stuck
        assert.is(stuck?.command, 'zfs destroy p/a')
        assert.is(stuck?.pid, pids[0])
        assert.equal(commands.load.change, { running: 0, waiting: 0 })
        process.kill(-(stuck?.pid ?? 0), 'SIGKILL')
        for (let tries = 0; commands.stuck.length > 0; tries++) {
          assert.ok(tries < 400, 'it is still listed')
          await sleep(5)
        }
      },
      { termGraceMs: 20, killGraceMs: 20 },
      (pid) => void pids.push(pid),
    )
  })

  test('changes wait for each other, reads do not wait for them', () =>
    withScript(
      'if [ "$1" = get ]; then echo read; exit 0; fi; while [ ! -e "$(dirname "$0")/open" ]; do sleep 0.01; done',
      async (commands, directory) => {
        const changes = [1, 2, 3, 4, 5].map((n) => commands.change('zfs', ['set', String(n)]))
        while (commands.load.change.waiting !== 1) await sleep(1)
        assert.equal(commands.load.change, { running: 4, waiting: 1 })
        assert.is(await commands.read('zfs', ['get']), 'read\n')
        await writeFile(join(directory, 'open'), '')
        await Promise.all(changes)
        assert.equal(commands.load.change, { running: 0, waiting: 0 })
      },
    ))

  test('who gives up waiting takes nobody’s place', () =>
    withScript('sleep 0.05', async (commands) => {
      const controller = new AbortController()
      const before = ['a', 'b', 'c', 'd'].map((one) => commands.change('zfs', [one]))
      const quitter = commands.change('zfs', ['e'], { signal: controller.signal })
      const last = commands.change('zfs', ['f'])
      const reason = new Error('enough')
      controller.abort(reason)
      assert.is(await rejected(quitter), reason)
      await Promise.all([...before, last])
      assert.equal(commands.load.change, { running: 0, waiting: 0 })
    }))

  test('nothing is started for a signal that has fired', () =>
    withScript('touch "$(dirname "$0")/started"', async (commands, directory) => {
      const reason = new Error('over')
      assert.is(await rejected(commands.change('zfs', [], { signal: AbortSignal.abort(reason) })), reason)
      assert.not.ok(existsSync(join(directory, 'started')))
    }))

  test.run()
}
