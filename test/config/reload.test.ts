import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LiveConfig } from '../../daemon/config/live.ts'
import { masked } from '../../daemon/config/masked.ts'
import { mergeConfig } from '../../daemon/config/merge.ts'
import { parseConfig } from '../../daemon/config/read.ts'
import { checkPlaceOf, watchFile } from '../../daemon/config/watch.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { rejection } from '../contracts/values.ts'
import { withDaemon } from '../support/daemon.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { within } from '../support/within.ts'

const test = suite('configuration: reload')

const BASE = 'store: dir:/a\ndataset: tank/p\n'
const config = (more = '') => parseConfig(BASE + more, 'c.yaml')

test('what is read anew takes effect, what is read once is named and stays', () => {
  const before = config()
  const after = config('save: {interval: 30s}\nonHostLoss: readonly\nname: other\nevict: {maxResident: 5}\n')
  const merged = mergeConfig(before, after)
  assert.equal([...merged.changed].sort(), ['evict.maxResident', 'onHostLoss', 'save.interval'])
  assert.equal(merged.needRestart, ['name'])
  assert.equal([merged.config.save.interval, merged.config.name], [30_000, undefined])
  assert.equal(mergeConfig(after, after).changed, [])
})

test('a key that needed a restart and was taken back needs none', async () => {
  const { path, remove } = await temporaryDirectory()
  const file = join(path, 'c.yaml')
  const lines: string[] = []
  const live = new LiveConfig(config(), { file, apply: () => {}, say: (line) => lines.push(line) })
  await writeFile(file, `${BASE}name: other\n`)
  assert.equal((await live.reload()).needRestart, ['name'])
  await writeFile(file, BASE)
  await live.reload()
  assert.equal(live.needRestart, [])
  assert.match(lines.join('\n'), 'need a restart: name')
  await remove()
})

test('what is secret in it is not shown', () => {
  assert.equal(masked({ store: 'cassandra://u:p@h/k?dc=d', tls: { password: 'x' }, n: 5, list: ['a'] }), {
    store: 'cassandra://***@h/k?dc=d',
    tls: { password: '***' },
    n: 5,
    list: ['a'],
  })
})

test('a file that is replaced, written in place, or gone for a while is seen each time', async () => {
  const { path, remove } = await temporaryDirectory()
  const file = join(path, 'c.yaml')
  await writeFile(file, '0')
  let seen = 0
  const watching = await watchFile(
    file,
    () => seen++,
    (error) => assert.unreachable(String(error)),
  )
  const next = async (change: () => Promise<void>): Promise<void> => {
    const before = seen
    await change()
    await within(20_000, () => seen > before)
  }
  for (const text of ['1', '2'])
    await next(async () => {
      await writeFile(`${file}.new`, text)
      await rename(`${file}.new`, file)
    })
  await next(() => writeFile(file, 'three'))
  await rename(file, `${file}.old`)
  await next(() => writeFile(file, 'again'))
  await writeFile(join(path, 'other'), 'no matter')
  await symlink('other', join(path, 'link'))
  await watching.close()
  await remove()
})

test('what lies beside the projects is not watched: that would look at them', async () => {
  const { path, remove } = await temporaryDirectory()
  const place = (name: string) => join(path, name)
  await mkdir(place('etc'))
  await symlink(path, place('etc/link'))
  const at = (file: string) => checkPlaceOf(place(file), { access: place('projects'), mounts: place('mnt') })
  await at('etc/c.yaml')
  for (const file of ['c.yaml', 'mnt/c.yaml', 'etc/link/c.yaml', 'etc/../c.yaml'])
    assert.is(codeOf(await rejection(at(file), file)), 'config-beside-projects', file)
  await remove()
})

test('a daemon takes a new interval from its file, and keeps the old one where the file is wrong', () =>
  withDaemon(async ({ daemon, client, configFile }) => {
    const text = await readFile(configFile, 'utf8')
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    await writeFile(configFile, `${text}\nsave: {interval: 20s}\nname: other\n`)
    await within(20_000, () => daemon.config.save.interval === 20_000)
    const state = daemon.engine.saves.state(projectId('p'))
    const inMs = (state?.nextAtMs ?? Infinity) - daemon.engine.host.clock.monotonicMs()
    assert.ok(inMs <= 20_000, `the next save is in ${inMs} ms`)
    interface Told {
      needRestart: string[]
      error: string | null
      config: { save: { interval: number } }
    }
    const told = await client.call<Told>('GET', '/v1/config')
    assert.equal([told.needRestart, told.error, told.config.save.interval], [['name'], null, 20_000])
    await writeFile(configFile, `${text}\nsave: {interval: soon}\n`)
    const error = await rejection<Error>(client.call('POST', '/v1/config/reload'), 'a wrong file')
    assert.match(error.message, /line 8: save.interval: is no duration/)
    assert.is(daemon.config.save.interval, 20_000)
    assert.match((await client.call<Told>('GET', '/v1/config')).error ?? '', 'is no duration')
    await writeFile(configFile, text)
    await client.call('POST', '/v1/config/reload')
    assert.equal(
      [daemon.config.save.interval, daemon.live.error, daemon.live.needRestart],
      [60_000, undefined, []],
    )
  }))

test.run()
