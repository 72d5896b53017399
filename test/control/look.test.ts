import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Cli } from '../../daemon/cli/cli.ts'
import { withPoint } from '../../daemon/cli/with-point.ts'
import type { Finding } from '../../daemon/control/why.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { rejection } from '../contracts/values.ts'
import { tidepool } from '../support/command.ts'
import { type DaemonSetting, withDaemon } from '../support/daemon.ts'

const test = suite('what an owner asks')

async function made({ client }: DaemonSetting, id: string): Promise<string> {
  const { realPath } = await client.call<{ realPath: string }>('POST', '/v1/projects', { body: { id } })
  return realPath
}

const whyOf = async ({ client }: DaemonSetting, id: string): Promise<readonly Finding[]> =>
  (await client.call<{ findings: readonly Finding[] }>('GET', `/v1/projects/${id}/why`)).findings

test('why: of a project that is well, of none, of a destroyed one', () =>
  withDaemon(async (setting) => {
    await made(setting, 'p1')
    const well = await whyOf(setting, 'p1')
    assert.equal([...new Set(well.map(({ kind }) => kind))], ['fine'])
    assert.ok(well.some(({ text }) => text === 'this host has it'))
    assert.match((await whyOf(setting, 'absent'))[0]?.text ?? '', /absent/)
    assert.is((await whyOf(setting, 'absent'))[0]?.kind, 'wrong')
    await setting.client.call('POST', '/v1/projects/p1/destroy')
    const [gone] = await whyOf(setting, 'p1')
    assert.is(gone?.kind, 'wrong')
    assert.is(gone?.hint, 'tidepool undelete p1')
  }))

test('why: a touch that failed is told with its reason, for as long as it keeps others from trying', () =>
  withDaemon(async (setting) => {
    await rejection(setting.daemon.opens.open('nobody' as never))
    const found = await whyOf(setting, 'nobody')
    assert.ok(found.some(({ kind, text }) => kind === 'wrong' && text.startsWith('it could not be opened')))
    const { code, stdout } = await tidepool(['--socket', setting.socket, 'why', 'nobody'])
    assert.is(code, 1)
    assert.match(stdout.toString(), /^! .*nobody/)
  }))

test('status of a project names its host, and gives no reason why it stays where it is not', () =>
  withDaemon(async (setting) => {
    await made(setting, 'p1')
    const status = async () =>
      (await tidepool(['--socket', setting.socket, 'status', 'p1'])).stdout.toString()
    assert.match(await status(), /^host +\S+ \([0-9a-f-]{36}\)$/m)
    const { sweeper } = setting.daemon.engine
    const last = await sweeper.sweep(new AbortController().signal)
    Object.defineProperty(sweeper, 'last', { value: last })
    assert.match(await status(), /^in the pool +because it was used lately$/m)
    const why = await whyOf(setting, 'p1')
    assert.ok(why.some(({ text }) => text === 'it stays in this pool: it was used lately'))
    await setting.client.call('POST', '/v1/projects/p1/evict')
    assert.match(await status(), /^host +none has it$/m)
    assert.not.match(await status(), /used lately/)
  }))

test('snapshots: what the store has, and what only this pool has', () =>
  withDaemon(async (setting) => {
    const path = await made(setting, 'p1')
    await writeFile(join(path, 'file'), 'one')
    await setting.client.call('POST', '/v1/projects/p1/save')
    await writeFile(join(path, 'file'), 'two')
    const { point } = await setting.client.call<{ point: string }>('POST', '/v1/projects/p1/snapshot', {
      body: { local: true },
    })
    const { json } = await tidepool(['--socket', setting.socket, '--json', 'snapshots', 'p1'])
    assert.is(json.length, 2)
    assert.equal(json.map(({ isStored, isHere }) => [isStored, isHere]).sort(), [
      [false, true],
      [true, true],
    ])
    assert.is(json.find(({ isStored }) => !isStored)?.point, point)
  }))

test('one file of a point comes back by the command, and what was mounted for it goes', () =>
  withDaemon(async (setting) => {
    const path = await made(setting, 'p1')
    await writeFile(join(path, 'file'), 'one')
    const { point } = await setting.client.call<{ point: string }>('POST', '/v1/projects/p1/save')
    await writeFile(join(path, 'file'), 'two')
    const run = (...args: string[]) => tidepool(['--socket', setting.socket, ...args])
    const refused = await run('restore', 'p1', 'file', '--point', point)
    assert.is(refused.code, 1)
    assert.match(refused.stderr, /is there already/)
    const done = await run('restore', 'p1', 'file', '--point', point, '--overwrite')
    assert.is(done.code, 0, done.stderr)
    assert.is(await readFile(join(path, 'file'), 'utf8'), 'one')
    assert.not(await setting.daemon.engine.removeRestored('p1' as never, point as never))
  }))

test('what was mounted for a command alone goes when it is interrupted, too', () =>
  withDaemon(async (setting) => {
    await made(setting, 'p1')
    const { point } = await setting.client.call<{ point: string }>('POST', '/v1/projects/p1/save')
    const interrupted = new AbortController()
    const { stdin, stdout, stderr } = process
    const surroundings = { stdin, stdout, stderr, env: {}, signal: interrupted.signal }
    const cli = new Cli(surroundings, { socket: setting.socket })
    const looking = withPoint(cli, projectId('p1'), { point }, async () => {
      interrupted.abort(new Error('enough'))
      interrupted.signal.throwIfAborted()
    })
    assert.is(((await rejection(looking)) as Error).message, 'enough')
    assert.not(await setting.daemon.engine.removeRestored('p1' as never, point as never))
  }))

test('changes: where this ZFS has no diff, the API says so', () =>
  withDaemon(async (setting) => {
    await made(setting, 'p1')
    const { point } = await setting.client.call<{ point: string }>('POST', '/v1/projects/p1/save')
    const refused = setting.client.call('POST', '/v1/projects/p1/changes', { body: { point } })
    assert.is(codeOf(await rejection(refused)), 'no-diff')
  }))

test('hosts: this one is listed, and is not said to be dead', () =>
  withDaemon(async ({ client, daemon }) => {
    const { hosts } = await client.call<{ hosts: { host: string; isThis: boolean }[] }>('GET', '/v1/hosts')
    assert.equal(
      hosts.map(({ host, isThis }) => [host, isThis]),
      [[daemon.engine.host.host, true]],
    )
    const dead = (host: string) => rejection(client.call('POST', `/v1/hosts/${host}/dead`))
    assert.is(codeOf(await dead(daemon.engine.host.host)), 'host-live')
    assert.is(codeOf(await dead('5f0c4c5e-0000-4000-8000-000000000000')), 'host-unknown')
  }))

test.run()
