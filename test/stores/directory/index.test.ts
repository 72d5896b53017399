import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openDirectoryStore } from '../../../pipeline/stores/directory/index.ts'
import { writePaths } from '../../../pipeline/stores/directory/layout.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { streamBytes } from '../../support/stream-generator.ts'
import { fetchBytes, headOf, KIB, putBytes, putSetting } from '../../support/transfer.ts'

const test = suite('directory store')

test('what was put is there for the next process, as a plain file that is the stream', async () => {
  const { path, remove } = await temporaryDirectory()
  const bytes = await streamBytes({ seed: 1, bytes: 300 * KIB, toGuid: 11n })
  const first = await openDirectoryStore(join(path, 'store'), { init: true })
  const setting = await putSetting(first)
  const { writeId } = await putBytes(setting, bytes)
  await first.close()
  await first.close()
  const second = await openDirectoryStore(join(path, 'store'))
  const again = { ...setting, store: second }
  assert.is(await headOf(again), '11')
  assert.ok((await fetchBytes(again, writeId)).equals(bytes))
  const paths = writePaths(join(path, 'store'), { project: setting.project, writeId })
  assert.ok((await readFile(paths.stream)).equals(bytes))
  assert.equal((await readdir(paths.directory)).sort(), [`${writeId}.sums`, `${writeId}.zstream`, 'chain'])
  assert.is(await readFile(join(paths.directory, 'chain'), 'utf8'), `${writeId}.zstream\n`)
  await second.close()
  await remove()
})

test.run()
