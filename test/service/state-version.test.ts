import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { version } from '../../daemon/cli/package.ts'
import { claimState, STATE_VERSION } from '../../daemon/state-version.ts'
import type { TidepoolError } from '../../pipeline/base/errors.ts'
import { withDaemon } from '../support/daemon.ts'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('service: form of the state')

async function withState(body: (directory: string, file: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  const directory = join(path, 'state')
  try {
    await body(directory, join(directory, 'version.json'))
  } finally {
    await remove()
  }
}

const refusal = (act: Promise<unknown>): Promise<TidepoolError> =>
  act.then(
    () => assert.unreachable('it was not refused') as never,
    (error: TidepoolError) => error,
  )

test('a new directory, and one from before there were versions, become this one’s', () =>
  withState(async (directory, file) => {
    for (const round of ['new', 'again']) {
      await claimState(directory)
      const found = JSON.parse(await readFile(file, 'utf8'))
      assert.equal(found, { state: STATE_VERSION, tidepool: version() }, round)
    }
    await writeFile(file, '{"state":1,"tidepool":"0.0.1","more":true}')
    await claimState(directory)
    assert.is(JSON.parse(await readFile(file, 'utf8')).tidepool, version())
  }))

test('one that a newer program wrote is refused by the names of both, and left as it is', () =>
  withState(async (directory, file) => {
    await mkdir(directory)
    const text = JSON.stringify({ state: STATE_VERSION + 1, tidepool: '9.8.7' })
    await writeFile(file, text)
    const { code, message, hint } = await refusal(claimState(directory))
    assert.is(code, 'state-newer')
    assert.match(message, `Tidepool 9.8.7 (form ${STATE_VERSION + 1}); this is ${version()}`)
    assert.match(hint ?? '', '9.8.7')
    assert.is(await readFile(file, 'utf8'), text)
  }))

test('it is made for its owner alone, and what is above it so that everybody gets through', async () => {
  const { path, remove } = await temporaryDirectory()
  try {
    await claimState(join(path, 'lib/state'))
    const modeOf = async (name: string): Promise<number> => (await stat(join(path, name))).mode & 0o777
    assert.equal([await modeOf('lib'), await modeOf('lib/state')], [0o711, 0o700])
  } finally {
    await remove()
  }
})

test('one that says nothing that can be read is refused', () =>
  withState(async (directory, file) => {
    await mkdir(directory)
    await writeFile(file, '{"state":')
    assert.is((await refusal(claimState(directory))).code, 'state-damaged')
  }))

test('a daemon does not start on what a newer one wrote', () =>
  withDaemon(async ({ daemon, again }) => {
    await daemon.stop()
    const file = join(daemon.config.state, 'version.json')
    await writeFile(file, JSON.stringify({ state: STATE_VERSION + 1, tidepool: '9.8.7' }))
    assert.is((await refusal(again())).code, 'state-newer')
    await writeFile(file, JSON.stringify({ state: STATE_VERSION, tidepool: '9.8.7' }))
    await (await again()).stop()
  }))

test.run()
