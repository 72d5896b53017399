import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf, TidepoolError } from '../../../pipeline/base/errors.ts'
import { newWriteId, projectId } from '../../../pipeline/base/ids.ts'
import { MIB } from '../../../pipeline/base/units.ts'
import { createProject } from '../../../pipeline/graph/transitions/life.ts'
import { touchProject } from '../../../pipeline/graph/transitions/owner.ts'
import type { Catalogue } from '../../../pipeline/stores/contract.ts'
import { openDirectoryStore } from '../../../pipeline/stores/directory/index.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { streamBytes } from '../../support/stream-generator.ts'
import { fetchBytes, KIB, putBytes, putSetting } from '../../support/transfer.ts'

const test = suite('full')

async function failure(work: Promise<unknown>): Promise<TidepoolError> {
  const error = await work.then(
    () => new Error('it was not rejected'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof TidepoolError, String(error))
  return error
}

/** Projects with much in them, until one is refused; the ids of those that were made. */
async function fill(catalogue: Catalogue, prefix: string): Promise<{ made: string[]; error: TidepoolError }> {
  const properties = { note: 'x'.repeat(20 * KIB) }
  const made: string[] = []
  for (;;) {
    const id = `${prefix}-${made.length}`
    try {
      await catalogue.apply(createProject(projectId(id), { owner: null, nowMs: 0, properties }))
      made.push(id)
    } catch (error) {
      assert.ok(error instanceof TidepoolError, String(error))
      return { made, error }
    }
  }
}

test('a catalogue at its limit is read, changed and emptied, and then takes more', async () => {
  const { path, remove } = await temporaryDirectory()
  const root = join(path, 'store')
  const store = await openDirectoryStore(root, { init: true, maxCatalogueBytes: 400 * KIB })
  const { catalogue } = store
  for (let i = 0; i < 10; i++) await catalogue.writeNote(`note-${i}`, 'y'.repeat(10 * KIB))
  const { made, error } = await fill(catalogue, 'first')
  assert.is(error.code, 'store-full')
  assert.match(error.message, '400 KiB')
  assert.ok(error.hint)
  assert.ok(made.length > 0)
  const project = await catalogue.read(projectId(made[0] as string))
  assert.ok(project)
  assert.ok(await catalogue.apply(touchProject(project)), 'a change that adds nothing')
  assert.is(codeOf(await failure(catalogue.writeNote('one-more', 'text'))), 'store-full')
  for (let i = 0; i < 10; i++) await catalogue.writeNote(`note-${i}`, undefined)
  assert.ok((await fill(catalogue, 'second')).made.length > 0)
  await store.close()
  const raised = await openDirectoryStore(root, { maxCatalogueBytes: 500 * KIB })
  assert.ok((await fill(raised.catalogue, 'third')).made.length > 0)
  await raised.close()
  await remove()
})

test('on a full disk what is there is read and removed, and then it goes on', async () => {
  const { path, remove } = await temporaryDirectory()
  if (!mounted(path)) return remove()
  const root = join(path, 'store')
  let store = await openDirectoryStore(root, { init: true })
  try {
    const setting = await putSetting(store)
    const stream = await streamBytes({ seed: 1, bytes: 2 * MIB, toGuid: 1n })
    const first = await putBytes(setting, stream)
    await fillDisk(path)
    await store.close()
    store = await openDirectoryStore(root)
    setting.store = store
    const begun = { project: setting.project, writeId: newWriteId(), chunkBytes: MIB }

    const writer = await store.blobs.create(begun)
    const put = await failure(writer.put(0, Buffer.alloc(MIB, 1), Buffer.alloc(32, 1)))
    await writer.close()
    assert.is(put.code, 'disk-full')
    assert.ok(put.hint)
    await store.blobs.remove({ ...begun, seqHigh: 1 })

    const { made, error } = await fill(store.catalogue, 'more')
    assert.is(error.code, 'disk-full')
    assert.ok(made.length > 0, 'what was given up serves the catalogue')
    assert.is(await stat(join(root, 'ballast')).catch(() => 'given up'), 'given up')
    for (const id of made) assert.ok(await store.catalogue.read(projectId(id)), 'what was said to be made is')
    assert.is(await store.catalogue.read(projectId(`more-${made.length}`)), undefined)
    assert.is(codeOf(await failure(store.blobs.create(begun))), 'disk-full')
    assert.ok((await fetchBytes(setting, first.writeId)).equals(stream))

    rmSync(join(path, 'filler'))
    assert.ok(await store.catalogue.apply(createProject(projectId('after'), { owner: null, nowMs: 0 })))
    const second = await putBytes(
      setting,
      await streamBytes({ seed: 2, bytes: 100 * KIB, fromGuid: 1n, toGuid: 2n }),
    )
    assert.is(second.placement, 'head')
    assert.is((await stat(join(root, 'ballast'))).size, 4 * MIB)
  } finally {
    await store.close()
    spawnSync('umount', [path])
    await remove()
  }
})

/** A small file system of its own. Only root can mount one; where it could and fails, the test fails. */
function mounted(path: string): boolean {
  if (process.geteuid?.() !== 0) {
    process.stderr.write('full: needs root to mount a small file system: not run\n')
    return false
  }
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tidepool-test', path])
  assert.is(status, 0, String(stderr))
  return true
}

async function fillDisk(path: string): Promise<void> {
  const { bavail, bsize } = await statfs(path)
  await writeFile(join(path, 'filler'), Buffer.alloc(bavail * bsize, 1))
}

test.run()
