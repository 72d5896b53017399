/** What the verbs that ask a daemon show while they wait, and what they print of events. */
import { Readable, Writable } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { run } from '../../daemon/cli/main.ts'
import { operationLine } from '../../daemon/cli/operation-line.ts'
import type { OperationStatus } from '../../daemon/client/types.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('verbs of the daemon')

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((go) => setTimeout(go, 20)))
    if (await done()) return
  assert.unreachable(`${what} has not happened within 20 s`)
}

test('a line tells the step, the bytes, the rate and the time left, as far as they are known', () => {
  const none = { doneBytes: null, totalBytes: null, bytesPerSecond: 0, leftMs: null }
  assert.is(operationLine({ verb: 'open', project: 'p', step: 'mount', ...none }), 'open p: mount')
  const some = { verb: 'open', project: 'p', step: 'receive', doneBytes: '268435456' }
  assert.is(
    operationLine({ ...some, totalBytes: '1073741824', bytesPerSecond: 134217728, leftMs: 6000 }),
    'open p: receive  256 MiB of 1.0 GiB (25 %)  128 MiB/s  6 s left',
  )
  assert.is(
    operationLine({ ...some, totalBytes: null, bytesPerSecond: 0, leftMs: null }),
    'open p: receive  256 MiB',
  )
})

test('on a terminal the progress is shown and taken away, in a pipe there is none', () =>
  withDaemon(async ({ client, socket }) => {
    const env = { TIDEPOOL_SOCKET: socket }
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    const quiet = await tidepool(['save', 'p'], { env })
    assert.is(quiet.code, 0)
    assert.is(quiet.stderr, '')
    assert.match(quiet.stdout.toString(), /^saved p: /)
    const shown = await tidepool(['evict', 'p'], { env, isTTY: true })
    assert.is(shown.code, 0, shown.stderr)
    assert.match(shown.stdout.toString(), /^evicted p: /)
    assert.match(shown.stderr, /evict p: /)
    assert.ok(shown.stderr.endsWith('\r\u001b[K'))
    const failed = await tidepool(['open', 'nope'], { env, isTTY: true })
    assert.is(failed.code, 1)
    assert.match(failed.stderr, /nope/)
  }))

test('set tells and changes the properties of a project, and status shows them', () =>
  withDaemon(async ({ client, socket }) => {
    const run = (...args: string[]) => tidepool(args, { env: { TIDEPOOL_SOCKET: socket } })
    const out = async (...args: string[]) => (await run(...args)).stdout.toString()
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    assert.is(await out('set', 'p'), 'p has all as the pool has it\n')
    assert.is(
      await out('set', 'p', 'compression=gzip', 'recordsize=16K'),
      'p has compression=gzip recordsize=16K\n',
    )
    assert.match(await out('status', 'p'), /compression +gzip\nrecordsize +16K\n/)
    assert.is(await out('set', 'p', 'compression='), 'p has recordsize=16K\n')
    for (const [word, code, said] of [
      ['sync=disabled', 1, /no property that a project may have/],
      ['recordsize=1M', 1, /recordsize of a project can't be "1M"/],
      ['recordsize', 2, /no name=value/],
    ] as const) {
      const refused = await run('set', 'p', word)
      assert.is(refused.code, code, word)
      assert.match(refused.stderr, said)
    }
    assert.is(await out('set', 'p'), 'p has recordsize=16K\n')
  }))

test('Ctrl-C cancels the operation and says what remains, on a terminal and in a pipe', () =>
  withDaemon(async ({ client, socket, fake }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    for (const isTTY of [true, false]) {
      await client.call('POST', '/v1/projects/p/close')
      await fake.calls()
      await fake.faults({ match: '^zfs mount', action: 'hang', times: 1 })
      const interrupt = new AbortController()
      const running = tidepool(['open', 'p'], {
        env: { TIDEPOOL_SOCKET: socket },
        isTTY,
        signal: interrupt.signal,
      })
      await until('the mount', async () => (await fake.calls()).some((line) => line.startsWith('zfs mount')))
      interrupt.abort(new TidepoolError('interrupted', 'interrupted'))
      const { code, stderr } = await running
      assert.is(code, 130)
      assert.match(stderr, /the open of p was cancelled/)
      assert.match(stderr, /the next open goes on from what the pool has/)
      await until('its end', async () => {
        const { operations } = await client.call<{ operations: OperationStatus[] }>('GET', '/v1/operations')
        return operations.every(({ state }) => state !== 'running')
      })
      await client.call('POST', '/v1/projects/p/open')
    }
  }))

test('a daemon that is started again meanwhile is asked again', () =>
  withDaemon(async ({ client, daemon, socket, fake, again }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    await client.call('POST', '/v1/projects/p/close')
    await fake.calls()
    await fake.faults({ match: '^zfs mount', action: 'hang', times: 1 })
    const running = tidepool(['open', 'p'], { env: { TIDEPOOL_SOCKET: socket }, isTTY: true })
    await until('the mount', async () => (await fake.calls()).some((line) => line.startsWith('zfs mount')))
    await daemon.stop()
    const next = await again()
    try {
      const { code, stdout, stderr } = await running
      assert.is(code, 0, stderr)
      assert.match(stdout.toString(), /\/projects\/p\n/)
    } finally {
      await next.stop()
    }
  }))

test('events: what was, then what happens, for people and for machines, of one project or all', () =>
  withDaemon(async ({ client, socket }) => {
    const env = { TIDEPOOL_SOCKET: socket }
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    await client.call('POST', '/v1/projects', { body: { id: 'q' } })
    const { stdout } = await tidepool(['events', '--project', 'p'], { env })
    assert.match(
      stdout.toString(),
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ {2}operation-started {2}p {2}verb=create/,
    )
    assert.not.match(stdout.toString(), / q /)
    const interrupt = new AbortController()
    let text = ''
    const sink = new Writable({
      write(piece, _encoding, done) {
        text += piece
        done()
      },
    })
    const following = run(['--json', 'events', '--follow'], {
      stdin: Readable.from([]),
      stdout: sink,
      stderr: sink,
      env,
      signal: interrupt.signal,
    })
    await until('what was', async () => text.includes('"project-created"'))
    await client.call('POST', '/v1/projects/q/close')
    await until('what happens', async () => text.includes('"project-closed"'))
    interrupt.abort(new TidepoolError('interrupted', 'interrupted'))
    assert.is(await following, 0)
    assert.not.match(text, /interrupted/)
  }))

test.run()
