/** The quick start as the command plays it by itself, on the real FUSE and ZFS; killed, and cleaned up by the next. */
import { readdir } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PLACES, PREFIX } from '../../daemon/demo/place.ts'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { Commands } from '../../native/zfs/run.ts'
import { type Running, spawnTidepool } from '../support/command-child.ts'
import { eventually } from '../support/fuse.ts'

const test = suite('demo')

async function traces(): Promise<readonly string[]> {
  const pools = (await new Commands().read('zpool', ['list', '-H', '-o', 'name'])).split('\n')
  return [
    ...(await readdir(PLACES)).filter((name) => name.startsWith(PREFIX)),
    ...(await readMounts()).map(({ mountPoint }) => mountPoint).filter((path) => path.includes(PREFIX)),
    ...pools.filter((name) => name.startsWith(PREFIX)),
  ]
}

/** Resolves once it has told the words; it goes on. */
async function until(running: Running, words: string): Promise<void> {
  let printed = ''
  running.child.stdout.on('data', (text: Buffer) => (printed += text))
  await eventually(`it tells: ${words}`, 120_000, async () => {
    assert.is(running.child.exitCode, null, printed)
    return printed.includes(words)
  })
}

test('played to its end, the file is back, and nothing is left', async () => {
  const running = spawnTidepool(['demo'])
  const { code, stdout, stderr } = await running.ended
  assert.is(code, 0, `${stdout}${stderr}`)
  for (const words of [
    'created project home1',
    'wrote 2 MiB',
    'saved it',
    'evicted it',
    'the file is what was written',
  ])
    assert.match(stdout.toString(), words)
  assert.equal(await traces(), [])
})

test('after Ctrl-C nothing is left', async () => {
  const running = spawnTidepool(['demo'])
  await until(running, 'wrote 2 MiB')
  running.child.kill('SIGINT')
  assert.is((await running.ended).code, 130)
  assert.equal(await traces(), [])
})

test('what one that was killed left, the next takes away', async () => {
  const killed = spawnTidepool(['demo'])
  await until(killed, 'wrote 2 MiB')
  killed.child.kill('SIGKILL')
  await killed.ended
  assert.ok((await traces()).length > 0)
  const { code, stdout, stderr } = await spawnTidepool(['demo']).ended
  assert.is(code, 0, `${stdout}${stderr}`)
  assert.match(stderr, /which a demonstration that was killed had left/)
  assert.equal(await traces(), [])
})

test.run()
