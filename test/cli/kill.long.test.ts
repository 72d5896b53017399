import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tidepool } from '../support/command.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { killPuts } from '../support/kill.ts'
import { runSeed, seeded } from '../support/random.ts'

const test = suite('puts into a directory that are killed')
const rounds = Math.ceil(50 * Number(process.env.TIDEPOOL_LONG ?? 0.1))

test(`after ${rounds} kills and a scrub there is nothing but committed data`, async () => {
  const random = seeded(runSeed('kill'))
  const { path, remove } = await temporaryDirectory()
  try {
    const url = `dir:${join(path, 'store')}`
    assert.is((await tidepool(['--store', url, 'store', 'init'])).code, 0)
    const { killed, finished } = await killPuts(url, rounds, random)
    process.stderr.write(`${killed} killed, ${finished} finished before\n`)
    assert.ok(killed > 0)
  } finally {
    await remove()
  }
})

test.run()
