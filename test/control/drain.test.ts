import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { errnoOfFailure } from '../../daemon/access/errno-of.ts'
import type { Client } from '../../daemon/client/client.ts'
import { Drain } from '../../daemon/projects/drain.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { rejection } from '../contracts/values.ts'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { within } from '../support/within.ts'

const test = suite('draining a host')
const P = projectId('p')

interface Told {
  readonly resident: number
  readonly drain: {
    readonly done: boolean
    readonly evicted: number
    readonly left: readonly { readonly id: string; readonly because: string | null }[]
  } | null
}

const statusOf = (client: Client) => client.call<Told>('GET', '/v1/status')

test('everything is saved and leaves, nothing is opened, also after a restart; undrained, all is there again', () =>
  withDaemon(async ({ daemon, client, socket, again }) => {
    const made = []
    for (const id of ['p', 'q'])
      made.push(await client.call<{ realPath: string }>('POST', '/v1/projects', { body: { id } }))
    const file = join(made[0]?.realPath as string, 'file')
    await writeFile(file, 'not saved yet')
    const ran = await tidepool(['--socket', socket, 'drain'])
    assert.is(ran.code, 0)
    const open = () => client.call('POST', '/v1/projects/p/open')
    await within(30_000, async () => (await statusOf(client)).drain?.done === true)
    assert.equal((await statusOf(client)).resident, 0)
    const status = await tidepool(['--socket', socket, 'status'])
    assert.match(status.stdout.toString(), 'drained: nothing is left in the pool')
    assert.is(codeOf(await rejection(open(), 'an open')), 'draining')
    const touch = await rejection(daemon.opens.open(P), 'a touch')
    assert.equal([codeOf(touch), errnoOfFailure(touch)], ['draining', 'EAGAIN'])
    const create = client.call('POST', '/v1/projects', { body: { id: 'new' } })
    assert.is(codeOf(await rejection(create, 'a create')), 'draining')
    await daemon.stop()
    const next = await again()
    try {
      assert.is(codeOf(await rejection(open(), 'an open after a restart')), 'draining')
      await rejection(next.opens.open(P), 'a touch after a restart')
      assert.is((await tidepool(['--socket', socket, 'undrain'])).code, 0)
      assert.is(await next.opens.open(P), join(file, '..'))
      assert.is(await readFile(file, 'utf8'), 'not saved yet')
      assert.is((await statusOf(client)).drain, null)
    } finally {
      await next.stop()
    }
  }))

test('what cannot leave is named with why, stays open for those who are in it, and leaves later', async () => {
  const { path, remove } = await temporaryDirectory()
  const clock = new ManualClock()
  const drain = await Drain.open(path, clock)
  const pool = new Set([P, projectId('q')])
  let busy = true
  const stop = new AbortController()
  const running = drain.run(
    {
      residents: async () => [...pool],
      evict: async (id) => {
        if (id === P && busy) throw new Error('somebody is in it')
        pool.delete(id)
      },
    },
    stop.signal,
  )
  assert.is(drain.state, undefined)
  await drain.begin()
  await within(30_000, () => drain.state?.evicted === 1)
  assert.equal(drain.state?.isDone, false)
  assert.equal(
    drain.state?.left.map(({ id, error }) => [id, String(error)]),
    [[P, 'Error: somebody is in it']],
  )
  busy = false
  await clock.advance(20_000)
  assert.equal([drain.state?.isDone, drain.state?.left, drain.state?.evicted], [true, [], 2])
  assert.ok((await Drain.open(path, clock)).refusal)
  await Promise.all([drain.end(), drain.begin(), drain.end()])
  assert.is(drain.refusal, undefined)
  assert.is((await Drain.open(path, clock)).refusal, undefined)
  await writeFile(join(path, 'drain.json'), 'nonsense')
  assert.ok((await Drain.open(path, clock)).refusal, 'what cannot be read counts as drained')
  stop.abort(new Error('over'))
  await running
  await remove()
})

test('what is open while the host is drained can be asked for, and somebody in it keeps it', () =>
  withDaemon(async ({ client, daemon, fake }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    await fake.faults({ match: 'zfs unmount', action: 'fail', exit: 1, stderr: 'cannot unmount: I/O error' })
    await client.call('POST', '/v1/drain')
    const stuck = async () => (await statusOf(client)).drain?.left[0]
    await within(20_000, async () => typeof (await stuck())?.because === 'string')
    assert.is(await daemon.opens.open(P), join(daemon.config.mounts, 'p'))
    await client.call('POST', '/v1/undrain')
  }))

test.run()
