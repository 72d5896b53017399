import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Commands } from '../../../native/zfs/run.ts'
import { send, usualFlags } from '../../../native/zfs/send.ts'
import { codeOf } from '../../../pipeline/base/errors.ts'
import { StreamParser } from '../../../pipeline/stream/parser.ts'
import { rejects, sample } from '../../contracts/zfs-world.ts'
import { type Fault, withFakeZfs } from '../../support/fake-zfs.ts'

const test = suite('zfs send')

async function sent(from: AsyncIterable<Uint8Array>): Promise<{ bytes: number; error?: unknown }> {
  let bytes = 0
  try {
    for await (const piece of from) bytes += piece.length
    return { bytes }
  } catch (error) {
    return { bytes, error }
  }
}

test('what comes out is a whole stream with the GUIDs of its snapshots', () =>
  withFakeZfs(async (world) => {
    const { first, second } = await sample(world)
    const parser = new StreamParser()
    for await (const piece of send(world.zfs, second.name, { from: first.name })) parser.push(piece)
    const facts = parser.end()
    assert.equal([facts.toGuid, facts.fromGuid], [second.guid, first.guid])
  }))

test('a send that fails is an error, after however many bytes', () =>
  withFakeZfs(async (world) => {
    const { second } = await sample(world)
    const { bytes: whole } = await sent(send(world.zfs, second.name))
    for (const bytes of [0, 1, 312, 4000, whole]) {
      const stderr = `warning: cannot send '${second.name}': Input/output error`
      await world.faults({ match: '^zfs send', action: 'cut', bytes, stderr })
      const result = await sent(send(world.zfs, second.name))
      assert.is(result.bytes, bytes)
      assert.is(codeOf(result.error), 'device-io', `${bytes} bytes`)
    }
    assert.is(world.zfs.commands.load.send.running, 0)
  }))

test('a send that is killed is an error', () =>
  withFakeZfs(async (world) => {
    const { second } = await sample(world)
    for (const action of ['die', 'die-after'] as const) {
      await world.faults({ match: '^zfs send', action })
      const { error } = await sent(send(world.zfs, second.name))
      assert.is(codeOf(error), 'zfs-failed')
      assert.match((error as Error).message, /was ended by SIGKILL/)
    }
  }))

test('a send that goes silent is ended, however slow its reader is', () =>
  withFakeZfs(
    async (world) => {
      const { second } = await sample(world)
      await world.faults({ match: '^zfs send', action: 'stall', bytes: 700 })
      const stalled = await sent(send(world.zfs, second.name))
      assert.is(codeOf(stalled.error), 'zfs-timeout')
      let bytes = 0
      for await (const piece of send(world.zfs, second.name)) {
        if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 700))
        bytes += piece.length
      }
      assert.ok(bytes > 700)
    },
    { silenceLimitMs: 600 },
  ))

test('one that is left ends with its pipe, and gets no signal while it does', () =>
  withFakeZfs(async (world) => {
    const { second } = await sample(world)
    const signals: string[] = []
    const kill = (pid: number, signal: NodeJS.Signals) => {
      signals.push(signal)
      process.kill(-pid, signal)
    }
    const commands = new Commands(world.settings, { kill })
    await world.faults({ match: '^zfs send', action: 'cut', bytes: 312, delayMs: 300, stderr: 'Broken pipe' })
    for await (const piece of send({ ...world.zfs, commands }, second.name)) {
      assert.ok(piece.length > 0)
      break
    }
    assert.is(commands.load.send.running, 0)
    // The one for what it may have left comes when it has ended.
    assert.not(signals.includes('SIGTERM'))
  }))

test('one that is deaf to SIGTERM is killed when it is left', () =>
  withFakeZfs(async (world) => {
    const { second } = await sample(world)
    const fault: Fault = { match: '^zfs send', action: 'stall', bytes: 700, ignoreTerm: true }
    await world.faults(fault)
    for await (const piece of send(world.zfs, second.name)) {
      assert.ok(piece.length > 0)
      break
    }
    assert.equal([world.zfs.commands.load.send.running, world.zfs.commands.stuck], [0, []])
  }))

test('flags are sent only where they exist', () =>
  withFakeZfs(
    async (world) => {
      const { second } = await sample(world)
      assert.equal(usualFlags(world.zfs.capabilities), { compressed: false, embedded: false })
      await rejects(
        sent(send(world.zfs, second.name, { flags: { compressed: true, raw: true } })).then(({ error }) =>
          Promise.reject(error),
        ),
        'not-supported',
      )
      await world.calls()
      await sent(send(world.zfs, second.name, { flags: usualFlags(world.zfs.capabilities) }))
      assert.equal(await world.calls(), [`zfs send ${second.name}`])
    },
    { flavour: 'zfs-fuse' },
  ))

test('flags are sent together where they are wanted', () =>
  withFakeZfs(async (world) => {
    const { first, second } = await sample(world)
    await world.calls()
    await sent(send(world.zfs, second.name, { from: first.name, flags: usualFlags(world.zfs.capabilities) }))
    assert.equal(await world.calls(), [`zfs send -ce -i ${first.name} ${second.name}`])
  }))

test.run()
