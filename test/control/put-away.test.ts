import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { saveAll } from '../../daemon/projects/put-away.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { within } from '../support/within.ts'

const test = suite('put away')
const ids = ['a', 'b', 'c', 'd'].map(projectId)
const [A, B, C, D] = ids as [(typeof ids)[0], (typeof ids)[0], (typeof ids)[0], (typeof ids)[0]]

test('whatever the saves do it ends in time, and says of each that is not saved why', async () => {
  const clock = new ManualClock()
  const order: string[] = []
  const ended: string[] = []
  const done = saveAll({
    clock,
    ids,
    withinMs: 80_000,
    atOnce: 2,
    save: async (id, signal) => {
      order.push(id)
      if (id === A) return
      if (id === B) throw new Error('the store is full')
      // One ends when it is told to, one never does.
      await (id === C ? clock.sleep(1e9, signal) : new Promise(() => {})).catch((error) => {
        ended.push(id)
        throw error
      })
    },
  })
  await clock.advance(79_999)
  await clock.advance(1)
  const { saved, notSaved } = await done
  assert.is(saved, 1)
  assert.equal(notSaved, [
    { id: B, why: 'the store is full' },
    { id: C, why: 'it was still being saved when the time was over' },
    { id: D, why: 'it was still being saved when the time was over' },
  ])
  assert.equal([order, ended], [ids, [C]])
  assert.is(clock.pendingSleeps, 0)
})

test('where there is no time left the turn of some never comes', async () => {
  const clock = new ManualClock()
  const done = saveAll({ clock, ids, withinMs: 10, atOnce: 1, save: (_id, signal) => clock.sleep(7, signal) })
  await clock.advance(10)
  const { saved, notSaved } = await done
  assert.is(saved, 1)
  assert.equal(
    notSaved.map(({ why }) => why.startsWith('the time was over')),
    [false, true, true],
  )
  assert.equal(await saveAll({ clock, ids: [], withinMs: 10, save: async () => {} }), {
    atMs: clock.wallMs(),
    saved: 0,
    notSaved: [],
  })
})

test('all of a host is saved; what was not is said, and by the next start too until it is', () =>
  withDaemon(async ({ daemon, client, socket, fake, again }) => {
    const { realPath } = await client.call<{ realPath: string }>('POST', '/v1/projects', {
      body: { id: 'p' },
    })
    await writeFile(join(realPath, 'file'), 'one')
    const first = await tidepool(['--socket', socket, '--json', 'put-away', '--within', '60s'])
    assert.equal([first.code, first.json[0]?.saved, first.json[0]?.notSaved], [0, 1, []])
    await writeFile(join(realPath, 'file'), 'two, longer')
    const fault = {
      match: 'zfs snapshot',
      action: 'fail',
      exit: 1,
      stderr: 'cannot create: I/O error',
    } as const
    await fake.faults({ ...fault, times: 1000 })
    const second = await tidepool(['--socket', socket, 'put-away'])
    assert.is(second.code, 1)
    assert.match(second.stderr, 'p is not saved: ')
    await daemon.stop()
    const next = await again()
    try {
      const left = async () =>
        (await client.call<{ leftUnsaved: { id: string; why: string }[] }>('GET', '/v1/status')).leftUnsaved
      assert.equal(
        (await left()).map(({ id }) => id),
        ['p'],
      )
      const status = await tidepool(['--socket', socket, 'status'])
      assert.is(status.code, 1)
      assert.match(status.stdout.toString(), 'not saved when this host went down, nor since:')
      await fake.faults()
      next.engine.saves.hurry(projectId('p'))
      await within(20_000, async () => (await left()).length === 0)
      assert.is(await readFile(join(realPath, 'file'), 'utf8'), 'two, longer')
    } finally {
      await next.stop()
    }
  }))

test('a daemon in another place is found by its configuration; a wrong one keeps nobody from asking', () =>
  withDaemon(async ({ client, socket, configFile }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    const found = await tidepool(['--json', 'put-away', '--config', configFile])
    assert.equal([found.code, found.json[0]?.notSaved], [0, []])
    await writeFile(configFile, 'nonsense: 1')
    const usual = await tidepool(['--socket', socket, 'put-away', '--config', configFile])
    assert.is(usual.code, 0)
    assert.match(usual.stderr, 'the daemon is asked in its usual place: ')
  }))

test('what is not mounted and not saved is saved once after a start, and no more', () =>
  withDaemon(async ({ daemon, client, fake, again }) => {
    const { realPath } = await client.call<{ realPath: string }>('POST', '/v1/projects', {
      body: { id: 'p' },
    })
    await writeFile(join(realPath, 'file'), 'not saved')
    await daemon.stop()
    await fake.zfs.commands.change('zfs', ['unmount', `${fake.parent}/p`])
    const next = await again()
    try {
      const P = projectId('p')
      await within(20_000, () => next.engine.saves.state(P) === undefined)
      const { head } = await client.call<{ head: string | null }>('GET', '/v1/projects/p')
      assert.ok(head !== null)
      await client.call('POST', '/v1/projects/p/open')
      assert.ok(next.engine.saves.state(P))
    } finally {
      await next.stop()
    }
  }))

test.run()
