import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Store } from '../../pipeline/stores/contract.ts'
import { tidepool, tidepoolOver } from '../support/command.ts'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('the command')

test('help and version go to standard output, each command has its own with the exit codes', async () => {
  for (const argv of [['--help'], ['stream', 'put', '--help'], ['scrub', '--help']]) {
    const { code, stdout, stderr } = await tidepool(argv)
    assert.is(code, 0, stderr)
    assert.match(stdout.toString(), /130 {2}interrupted/)
    assert.is(stderr, '')
  }
  assert.match((await tidepool(['help', 'stream'])).stdout.toString(), /Usage: tidepool stream/)
  assert.match((await tidepool(['--version'])).stdout.toString(), /^[0-9]+\.[0-9]+\.[0-9]+\n$/)
})

test('every command has a help text that opens', async () => {
  const { groups } = await import('../../daemon/cli/verbs.ts')
  for (const group of groups)
    for (const verb of group.verbs ?? [undefined]) {
      const argv = [group.name, ...(verb ? [verb.name] : []), '--help']
      const { code, stdout } = await tidepool(argv)
      assert.is(code, 0)
      assert.ok(
        stdout.toString().startsWith(`Usage: tidepool ${argv.slice(0, -1).join(' ')}`),
        argv.join(' '),
      )
    }
})

test('without a store, and with what is no store, it says so and ends with 2', async () => {
  const none = await tidepool(['stream', 'ls'])
  assert.is(none.code, 2)
  assert.match(none.stderr, /no store is given\n {2}Add --store/)
  const bad = await tidepool(['--store', 'ftp://x', 'stream', 'ls', '--json'])
  assert.is(bad.code, 2)
  assert.equal(Object.keys(JSON.parse(bad.stderr).error), ['code', 'message', 'hint', 'facts'])
})

test('without a store named, it is that of the daemon’s configuration', async () => {
  const { path, remove } = await temporaryDirectory()
  try {
    const file = join(path, 'tidepool.yaml')
    await writeFile(file, `store: dir:${path}/store\ndataset: tank/projects\n`)
    const env = { TIDEPOOL_CONFIG: file }
    const made = await tidepool(['store', 'init'], { env })
    assert.match(made.stdout.toString(), /made a store/, made.stderr)
    assert.is((await tidepool(['scrub'], { env })).code, 0)
    const other = await tidepool(['store', 'info'], { env: { ...env, TIDEPOOL_STORE: `dir:${path}/none` } })
    assert.match(other.stderr, /none/)

    assert.match((await tidepool(['config', 'check'], { env })).stdout.toString(), /tidepool.yaml is right/)
    await writeFile(file, 'store: 5\nbrowse: some\n')
    const wrong = await tidepool(['config', 'check'], { env })
    assert.is(wrong.code, 2)
    assert.match(
      wrong.stderr,
      /tidepool.yaml has 3 mistakes\n {2}dataset: is missing\n {2}line 1: store: .*\n {2}line 2: browse: /,
    )
  } finally {
    await remove()
  }
})

test('an unexpected error says that it is one; the stack is shown only if it is asked for', async () => {
  const broken = new Proxy({} as Store, {
    get() {
      throw new TypeError('x is not a function')
    },
  })
  const plain = await tidepoolOver(broken)(['stream', 'ls'])
  assert.is(plain.code, 1)
  assert.match(
    plain.stderr,
    /^tidepool: this should not have happened: x is not a function\n {2}Please report it/,
  )
  const debug = await tidepoolOver(broken)(['stream', 'ls'], { env: { TIDEPOOL_DEBUG: '1' } })
  assert.match(debug.stderr, /TypeError: x is not a function\n +at /)
})

test.run()
