import { mkdir, symlink } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../../pipeline/base/errors.ts'
import { createBlobWriter } from '../../../pipeline/stores/directory/blob-writer.ts'
import { writePaths } from '../../../pipeline/stores/directory/layout.ts'
import { extent } from '../../contracts/blob-store.ts'
import { temporaryDirectory } from '../../support/directory.ts'

const test = suite('blob writer')
const codeFrom = (work: Promise<unknown>): Promise<string | undefined> => work.then(() => 'nothing', codeOf)

test('a disk that takes no more is told by put, and the writer still closes', async () => {
  const { path: root, remove } = await temporaryDirectory()
  const write = extent(1000)
  const paths = writePaths(root, write)
  await mkdir(paths.directory, { recursive: true })
  await symlink('/dev/full', paths.stream)
  const writer = await createBlobWriter(root, write)
  assert.is(await codeFrom(writer.put(0, Buffer.alloc(1000), Buffer.alloc(32, 1))), 'disk-full')
  await writer.close()
  await remove()
})

test('a file that cannot be made durable is never sealed', async () => {
  const { path: root, remove } = await temporaryDirectory()
  const write = extent(1000)
  const paths = writePaths(root, write)
  await mkdir(paths.directory, { recursive: true })
  // Takes every byte and has nowhere to keep them: fsync of it fails.
  await symlink('/dev/null', paths.stream)
  const writer = await createBlobWriter(root, write)
  await writer.put(0, Buffer.alloc(1000), Buffer.alloc(32, 1))
  assert.is(await codeFrom(writer.seal()), 'disk-error')
  await writer.close()
  await remove()
})

test('what is no chunk is refused before it is written', async () => {
  const { path: root, remove } = await temporaryDirectory()
  await mkdir(root, { recursive: true })
  const write = extent(1000)
  const writer = await createBlobWriter(root, write)
  const long = Buffer.alloc(write.chunkBytes + 1)
  for (const [data, digest] of [
    [long, Buffer.alloc(32)],
    [Buffer.alloc(1), Buffer.alloc(31)],
  ] as const)
    assert.instance(await writer.put(0, data, digest).catch((error: unknown) => error), RangeError)
  await writer.close()
  await remove()
})

test.run()
