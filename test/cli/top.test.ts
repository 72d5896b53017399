import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters as plain } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { run } from '../../daemon/cli/main.ts'
import { lines } from '../../daemon/cli/verbs/top.ts'
import { tidepool } from '../support/command.ts'
import { type DaemonSetting, withDaemon } from '../support/daemon.ts'
import { eventually } from '../support/fuse.ts'
import { ManualClock } from '../support/manual-clock.ts'

const test = suite('top')

const one = (id: string, more: object = {}) => ({
  id,
  mounted: true,
  usedBytes: '5000',
  atRisk: false,
  unsavedMs: 3000,
  failedSaves: 0,
  doing: null,
  ...more,
})

test('what wants to be looked at stands first, within 80 columns', () => {
  const told = lines({
    status: {
      name: 'host',
      mayAct: true,
      resident: 4,
      mounted: 3,
      pool: { usedBytes: '1000', availableBytes: '1000' },
    },
    projects: [
      one('away', { mounted: false, unsavedMs: null }),
      one('fine'),
      one('x'.repeat(63), { atRisk: true, unsavedMs: 45_296_000, doing: { what: 'rollback', forMs: 100 } }),
      one('broken', { atRisk: true, failedSaves: 2 }),
    ],
    unsaved: { count: 2, oldestMs: 45_296_000, bytes: '4096' },
  })
  assert.match(told[1] ?? '', /^not saved yet: 2, 4\.\d+ KiB|^not saved yet: 2, 4 KiB/)
  assert.equal(
    told.slice(4).map((line) => line.slice(0, 3)),
    ['bro', 'xxx', 'fin', 'awa'],
  )
  assert.ok(
    told.every((line) => line.length <= 80),
    told.join('\n'),
  )
})

interface Terminal {
  readonly keys: PassThrough & { readonly raw: readonly boolean[] }
  readonly screen: Writable & { columns: number; rows: number }
  /** All that was written. */
  readonly shown: () => string
  /** What the terminal shows now. */
  readonly picture: () => string
}

function terminal(): Terminal {
  const raw: boolean[] = []
  const keys = Object.assign(new PassThrough(), {
    isTTY: true,
    raw,
    setRawMode: (on: boolean) => void raw.push(on),
  })
  let shown = ''
  const screen = Object.assign(
    new Writable({
      write(piece: Buffer, _encoding, done) {
        shown += piece.toString()
        done()
      },
    }),
    { isTTY: true, columns: 60, rows: 8 },
  )
  return { keys, screen, shown: () => shown, picture: () => shown.split('\u001b[H').at(-1) ?? '' }
}

const OPENED = '\u001b[?1049h\u001b[?25l'
const RESTORED = '\u001b[?25h\u001b[?1049l'

/** `top` in a terminal of a test's own, beside a daemon. */
async function running(
  { socket }: Pick<DaemonSetting, 'socket'>,
  body: (
    top: Terminal & { readonly clock: ManualClock; readonly code: Promise<number>; stop: () => void },
  ) => Promise<void>,
): Promise<void> {
  const at = terminal()
  const clock = new ManualClock()
  const interrupted = new AbortController()
  const code = run(['--socket', socket, 'top'], {
    stdin: at.keys,
    stdout: at.screen,
    stderr: at.screen,
    env: {},
    clock,
    signal: interrupted.signal,
  })
  const stop = (): void => interrupted.abort(new Error('interrupted'))
  try {
    await body({ ...at, clock, code, stop })
  } finally {
    stop()
    await code
  }
}

const soon = (what: string, so: () => boolean): Promise<number> => eventually(what, 10_000, async () => so())

test('it is drawn anew every two seconds, as large as the terminal is, until q; then the terminal is as it was', () =>
  withDaemon(async (setting) => {
    await setting.client.call('POST', '/v1/projects', { body: { id: 'home1' } })
    await running(setting, async ({ clock, code, keys, screen, shown, picture }) => {
      await soon('it is drawn', () => /home1/.test(picture()))
      assert.ok(shown().startsWith(OPENED))
      assert.equal(keys.raw, [true])
      await setting.client.call('POST', '/v1/projects', { body: { id: 'home2' } })
      await clock.advance(1999)
      assert.not.match(picture(), /home2/)
      await clock.advance(1)
      await soon('it is drawn again', () => /home2/.test(picture()))
      for (let n = 3; n < 10; n++)
        await setting.client.call('POST', '/v1/projects', { body: { id: `home${n}` } })
      Object.assign(screen, { columns: 20, rows: 5 })
      screen.emit('resize')
      await soon('it fits', () =>
        picture()
          .split('\r\n')
          .every((line) => plain(line).length <= 20),
      )
      assert.is(picture().split('\r\n').length, 4)
      keys.write('xq')
      assert.is(await code, 0)
      assert.ok(shown().endsWith(RESTORED))
      assert.equal(keys.raw, [true, false])
      assert.is(clock.pendingSleeps, 0)
      assert.is(keys.listenerCount('data'), 0)
    })
  }))

test('Ctrl-C ends it, as a key and as a signal', () =>
  withDaemon(async (setting) => {
    for (const end of ['key', 'signal'])
      await running(setting, async ({ code, keys, shown, stop }) => {
        await soon('it is drawn', () => /PROJECT/.test(shown()))
        if (end === 'key') keys.write('\u0003')
        else stop()
        assert.is(await code, 0, end)
        assert.ok(shown().endsWith(RESTORED), end)
        assert.equal(keys.raw, [true, false], end)
      })
  }))

test('a daemon that goes is said to be away over what was seen last, and looked at again when it is back', () =>
  withDaemon(async (setting) => {
    await setting.client.call('POST', '/v1/projects', { body: { id: 'home1' } })
    await running(setting, async ({ clock, code, keys, picture }) => {
      await soon('it is drawn', () => /home1/.test(picture()))
      await setting.daemon.stop()
      for (let times = 0; times < 3; times++) {
        await clock.advance(2000)
        await soon('it says so', () => /no answer/.test(picture()))
        assert.match(picture(), /home1/)
      }
      const next = await setting.again()
      try {
        await clock.advance(2000)
        await soon('it is back', () => !/no answer/.test(picture()) && /home1/.test(picture()))
        keys.write('q')
        assert.is(await code, 0)
      } finally {
        await next.stop()
      }
    })
  }))

test('into a pipe it is one picture without a control character; where no daemon is, it says so in words', () =>
  withDaemon(async ({ client, socket }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'home1' } })
    const ran = await tidepool(['--socket', socket, 'top'])
    assert.is(ran.code, 0)
    assert.match(ran.stdout.toString(), /home1/)
    assert.match(ran.stdout.toString(), /^[ -~…\n]+$/)
    const alone = await tidepool(['--socket', `${socket}.none`, 'top'], { isTTY: true })
    assert.is(alone.code, 1)
    assert.is(alone.stdout.length, 0)
    assert.match(alone.stderr, /no daemon/)
  }))

test('a real terminal has its echo and its lines back afterwards', () =>
  withDaemon(async ({ socket }) => {
    const main = fileURLToPath(new URL('../support/tidepool.ts', import.meta.url))
    const top = `'${process.execPath}' --import '${import.meta.resolve('tsx')}' '${main}' --socket '${socket}' top`
    const child = spawn('script', ['-qec', `${top}; echo "ended $?"; stty -a`, '/dev/null'])
    let shown = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text
    })
    const ended = once(child, 'exit')
    await eventually('it is drawn', 30_000, async () => /PROJECT/.test(shown))
    child.stdin.write('q')
    await eventually('it has ended', 15_000, async () => /ended 0.* icanon/s.test(shown))
    assert.match(shown, / echo /)
    assert.ok(shown.includes(RESTORED))
    child.stdin.end()
    await ended
  }))

test.run()
