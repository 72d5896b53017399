import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ZfsError } from '../../../native/zfs/errors.ts'
import { Launcher } from '../../../native/zfs/launcher.ts'
import { Commands } from '../../../native/zfs/run.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { listening } from '../../support/launcher.ts'

const test = suite('zfs launcher')

interface World {
  readonly launcher: Launcher
  readonly commands: Commands
  /** Of the launcher. */
  readonly pid: number
  readonly file: (name: string) => string
}

/** `zfs` is a shell script; `$D` is a directory for what it leaves. */
async function withLauncher(script: string, body: (world: World) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  const launcher = new Launcher()
  const file = (name: string): string => join(path, name)
  try {
    await writeFile(file('zfs'), `#!/bin/sh\nD=${path}\n${script}\n`)
    await chmod(file('zfs'), 0o755)
    const commands = new Commands({ zfs: file('zfs'), termGraceMs: 200, killGraceMs: 2000 }, { launcher })
    await body({ launcher, commands, pid: await listening(launcher), file })
  } finally {
    launcher.end()
    await remove()
  }
}

const there = async (path: string): Promise<string> => {
  for (let tries = 0; tries < 2000; tries++) {
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text !== '') return text.trim()
    await sleep(5)
  }
  throw new Error(`no ${path}`)
}

async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
    if (stat === '' || /\) Z /.test(stat)) return
    await sleep(5)
  }
  throw new Error(`process ${pid} is left`)
}

test('much that is printed comes whole and in order, also of many at once', () =>
  withLauncher('seq "$1" 300000', async ({ commands }) => {
    const starts = [1, 2, 3, 4, 5, 6]
    const printed = await Promise.all(starts.map((from) => commands.read('zfs', [String(from)])))
    for (const [index, text] of printed.entries()) {
      const lines = text.trim().split('\n')
      assert.is(lines.length, 300_000 - index)
      assert.is(lines[0], String(index + 1))
      assert.is(lines.at(-1), '300000')
    }
  }))

test('where the launcher is killed its commands are ended and told of, the next are started here, and another one follows', () =>
  withLauncher(
    'echo $$ >"$D/$1"; [ "$1" = quick ] || sleep 60',
    async ({ launcher, commands, pid, file }) => {
      const running = commands.change('zfs', ['slow']).catch((error: unknown) => error)
      const child = Number(await there(file('slow')))
      // It may run before the launcher tells of it; once another one has come and gone, that was told before.
      await commands.read('zfs', ['quick'])
      process.kill(pid, 'SIGKILL')
      const error = await running
      assert.instance(error, ZfsError)
      assert.match((error as ZfsError).message, /^zfs slow .*SIGKILL/)
      await gone(child)
      assert.equal(commands.stuck, [])
      assert.is(launcher.pid, undefined)
      await commands.change('zfs', ['quick'])
      await listening(launcher, pid)
    },
  ))

test('the end of whoever asks lets what was begun come to its end, and then the launcher ends', () =>
  withLauncher(
    'echo $$ >"$D/began"; while [ ! -e "$D/go" ]; do sleep 0.01; done; echo done >"$D/ended"',
    async (world) => {
      const { launcher, commands, pid, file } = world
      const running = commands.change('zfs', ['set']).catch(() => {})
      await there(file('began'))
      process.kill(pid, 'SIGTERM') // as a service manager would, to all of a service
      launcher.end()
      await sleep(50)
      await writeFile(file('go'), 'go')
      assert.is(await there(file('ended')), 'done')
      await gone(pid)
      await running
    },
  ))

test.run()
