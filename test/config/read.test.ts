import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { zfsSettings } from '../../daemon/config/engine-settings.ts'
import { exampleConfig } from '../../daemon/config/example.ts'
import { parseConfig, readConfig } from '../../daemon/config/read.ts'
import { Commands } from '../../native/zfs/run.ts'
import { COMMAND_DEFAULTS } from '../../native/zfs/settings.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { rejection } from '../contracts/values.ts'

const test = suite('configuration')

const mistakesOf = (text: string): readonly string[] => {
  try {
    parseConfig(text, 'x.yaml')
  } catch (error) {
    assert.ok(error instanceof TidepoolError)
    assert.is(error.code, 'bad-config')
    return error.facts.mistakes as string[]
  }
  return []
}

test('two keys are enough, the others have their defaults in plain units', () => {
  const config = parseConfig('store: dir:/s\ndataset: tank/projects\n', 'x.yaml')
  assert.is(config.access, '/projects')
  assert.is(config.save.interval, 60_000)
  assert.is(config.evict.highWatermark, 0.8)
  assert.is(config.evict.grace, 600_000)
  assert.is(config.keep.hourly, 24)
  assert.is(config.evict.maxResident, undefined)
})

test('how many changes of the pool go on at a time is said to the commands', () => {
  const settings = (text: string) =>
    new Commands(zfsSettings(parseConfig(`store: dir:/s\ndataset: t/p\n${text}`, 'x.yaml'))).settings
  assert.equal(settings('').lanes, COMMAND_DEFAULTS.lanes)
  assert.equal(settings('zfs: {changes: 5}').lanes, { ...COMMAND_DEFAULTS.lanes, change: 5 })
  assert.equal(mistakesOf('store: dir:/s\ndataset: t/p\nzfs: {changes: 0}\n').length, 1)
})

test('durations and shares are read as people write them', () => {
  const text =
    'store: dir:/s\ndataset: t/p\nsave: {interval: 5m}\nevict: {highWatermark: 90%, idleAfter: 2d}\n'
  const config = parseConfig(text, 'x.yaml')
  assert.is(config.save.interval, 300_000)
  assert.is(config.evict.highWatermark, 0.9)
  assert.is(config.evict.idleAfter, 172_800_000)
})

test('each mistake is told with its line, all at once', () => {
  const found = mistakesOf(
    'store: dir:/s\ndataset: tank\nsave:\n  interval: soon\n  intervall: 60s\nevict:\n  maxResident: 0\n',
  )
  assert.is(found.length, 4)
  for (const [key, line] of [
    ['dataset', 2],
    ['save.interval:', 4],
    ['save.intervall', 5],
    ['evict.maxResident', 7],
  ] as const)
    assert.ok(
      found.some((each) => each.startsWith(`line ${line}: ${key}`)),
      `${key}: ${found.join(' | ')}`,
    )
  assert.match(found.join(), /is no duration such as 90s/)
})

test('what the daemon would stumble over later is refused too, in plain words and in order', () => {
  const least = 'dataset: tank/projects\n'
  assert.match(mistakesOf(`${least}store: ftp://x\n`).join(), /^line 2: store: there is no kind of store/)
  assert.match(mistakesOf(`${least}store: dir:x\n`).join(), /^line 2: store: its path is not absolute/)
  assert.equal(mistakesOf('- a\n- b\n'), [
    'line 1: the whole of it: has to be a group of keys, and is a list',
  ])
  const with_ = (text: string): string => mistakesOf(`store: dir:/s\n${least}${text}`).join('\n')
  assert.match(with_('evict: {lowWatermark: 90%}\n'), /^line 3: evict.lowWatermark: is not below/)
  assert.match(with_('access: /p\nmounts: /p/real\n'), /^line 4: mounts: is within \/p,/)
  assert.match(with_('mounts: /p\naccess: /p/x\n'), /^line 4: access: is within \/p,/)
  assert.match(with_('access: /s\n'), /^line 1: store: is within \/s,/)
  assert.match(with_('access: /p\nrun: /p\n'), /^line 4: run: is within/)
  assert.is(with_('access: /p\nmounts: /p2\n'), '')
  assert.equal(mistakesOf('browse: some\nlisten: {port: 99999}\nsave: {atOnce: 0}\nstore: 5\n'), [
    'dataset: is missing',
    'line 1: browse: is none of resident, all, none',
    'line 2: listen.port: has to be 65535 at most',
    'line 3: save.atOnce: has to be 1 at least',
    'line 4: store: has to be text, and is a number',
  ])
})

test('the example is a configuration, with every key at its default', () => {
  const text = exampleConfig()
  const least = 'store: dir:/var/lib/tidepool/store\ndataset: tank/projects\n'
  assert.equal(parseConfig(text, 'x.yaml'), parseConfig(least, 'x.yaml'))
  // What stands there without a word before it is a heading.
  for (const [index, line] of text.split('\n').entries())
    if (/^ *[a-z]\w+: ./.test(line)) assert.match(text.split('\n')[index - 1] ?? '', /^ *# /, line)
  assert.match(text, /# from one save of a project to the next\n {2}interval: 60s\n/)
  // Also with what it only suggests.
  const all = parseConfig(text.replace(/^( *)# (\w+: )/gm, '$1$2'), 'x.yaml')
  assert.is(all.evict.maxResident, 500)
  assert.is(all.name, 'host1')
})

test('what is missing is named; what is no YAML at all is told with its line', () => {
  assert.match(mistakesOf('store: dir:/s\n').join(), /dataset: /)
  assert.match(mistakesOf('').join(), /store: .*dataset: /)
  assert.match(mistakesOf('store: dir:/s\ndataset: [tank\n').join(), /^line [23]: /)
})

test('a file that is not there is told with what to do', async () => {
  const error = await rejection<TidepoolError>(readConfig('/nonexistent/tidepool.yaml'), 'no file')
  assert.is(error.code, 'bad-config')
  assert.match(error.message, /no such file/)
})

test.run()
