/** What systemd is told, by the real `systemd-notify`. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { keepReporting } from '../../daemon/service/report.ts'
import { Notifier } from '../../native/systemd/notify.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/fuse.ts'
import { NotifySocket } from '../support/notify-socket.ts'

const test = suite('service: notify')

async function withSocket(body: (socket: NotifySocket) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  const socket = await NotifySocket.listen(path)
  try {
    await body(socket)
  } finally {
    await socket.close()
    await remove()
  }
}

const never = (why: string): void => assert.unreachable(why)

function notifierOf(socket: NotifySocket, watchdogMs?: number, failed = never): Notifier {
  const env = {
    NOTIFY_SOCKET: socket.path,
    ...(watchdogMs !== undefined && { WATCHDOG_USEC: String(watchdogMs * 1000) }),
  }
  const notifier = Notifier.from(env, { failed })
  assert.ok(notifier)
  return notifier
}

test('where no systemd has started the process there is nobody to tell', () => {
  assert.is(Notifier.from({}, { failed: never }), undefined)
  assert.is(Notifier.from({ NOTIFY_SOCKET: '' }, { failed: never }), undefined)
})

test('a watchdog that is meant for another process is none', () => {
  const env = { NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '1000000' }
  const of = (more: object) => Notifier.from({ ...env, ...more }, { failed: never })?.watchdogMs
  assert.is(of({}), 1000)
  assert.is(of({ WATCHDOG_PID: String(process.pid) }), 1000)
  assert.is(of({ WATCHDOG_PID: '1' }), undefined)
  assert.is(of({ WATCHDOG_USEC: '0' }), undefined)
})

test('what is told arrives whole and in order, and a line break in it begins no line of its own', () =>
  withSocket(async (socket) => {
    const notifier = notifierOf(socket)
    void notifier.tell('READY=1', 'STATUS=all is\nwell')
    void notifier.tell('WATCHDOG=1')
    await notifier.tell('STOPPING=1')
    await eventually('all is told', 10_000, async () => socket.told.length === 3)
    assert.equal(socket.told, [['READY=1', 'STATUS=all is well'], ['WATCHDOG=1'], ['STOPPING=1']])
  }))

test('a word that cannot be passed on is complained of, and nothing waits for it', async () => {
  const complaints: string[] = []
  const failed = (why: string): void => void complaints.push(why)
  const lost = Notifier.from({ NOTIFY_SOCKET: '/nowhere/notify.sock' }, { failed })
  await lost?.tell('READY=1')
  const programless = Notifier.from({ NOTIFY_SOCKET: '/nowhere' }, { failed, program: '/nowhere/notify' })
  await programless?.tell('READY=1')
  assert.is(complaints.length, 2)
  assert.match(complaints[0] ?? '', /^systemd is not told READY=1: .*No such file/)
  assert.match(complaints[1] ?? '', /ENOENT/)
})

test('the watchdog is fed while the service says that it lives, and the status told when it changes', () =>
  withSocket(async (socket) => {
    const ending = new AbortController()
    let status = 'first'
    let lives = true
    const reporting = keepReporting(
      notifierOf(socket, 60_000),
      {
        status: () => status,
        lives: async () => {
          if (!lives) throw new Error('nobody looks')
        },
      },
      ending.signal,
      20,
    )
    const pings = (): number => socket.lines.filter((line) => line === 'WATCHDOG=1').length
    await eventually('it is fed', 10_000, async () => pings() >= 3)
    assert.equal(
      socket.lines.filter((line) => line !== 'WATCHDOG=1'),
      ['STATUS=first'],
    )
    status = 'second'
    await eventually('it is told', 10_000, async () => socket.lines.includes('STATUS=second'))
    lives = false
    const hangs = 'STATUS=does not answer itself: nobody looks'
    await eventually('it is starved', 10_000, async () => socket.lines.includes(hangs))
    const before = pings()
    lives = true
    await eventually('it is fed again', 10_000, async () => pings() > before)
    ending.abort()
    await reporting
  }))

test('a service that nobody watches says how it is, and feeds nothing', () =>
  withSocket(async (socket) => {
    const ending = new AbortController()
    const lives = async (): Promise<void> => assert.unreachable('nobody asked')
    const reporting = keepReporting(notifierOf(socket), { status: () => 'well', lives }, ending.signal, 10)
    await eventually('it is told', 10_000, async () => socket.told.length > 0)
    ending.abort()
    await reporting
    assert.equal(socket.told, [['STATUS=well']])
  }))

test.run()
