import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { WriteId } from '../../../pipeline/base/ids.ts'
import { markDeleted, markDeleting, supersedeWrites } from '../../../pipeline/graph/transitions/removal.ts'
import type { Store } from '../../../pipeline/stores/contract.ts'
import { openDirectoryStore } from '../../../pipeline/stores/directory/index.ts'
import { chainFile, projectDirectory, streamName } from '../../../pipeline/stores/directory/layout.ts'
import type { Put } from '../../../pipeline/transfer/put.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { streamBytes } from '../../support/stream-generator.ts'
import { KIB, putBytes, putSetting, type Setting } from '../../support/transfer.ts'

const test = suite('chain')

interface Opened {
  readonly root: string
  readonly setting: Setting
  readonly chain: () => Promise<string>
}

async function inStore(body: (opened: Opened) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  const root = join(path, 'store')
  const store = await openDirectoryStore(root, { init: true })
  try {
    const setting = await putSetting(store)
    const chain = () => readFile(chainFile(root, setting.project), 'utf8').catch(() => 'no chain')
    await body({ root, setting, chain })
  } finally {
    await store.close()
    await remove()
  }
}

async function put(
  setting: Setting,
  fromGuid: bigint | null,
  toGuid: bigint,
  bytes = 20 * KIB,
): Promise<Put> {
  const from = fromGuid === null ? {} : { fromGuid }
  return putBytes(setting, await streamBytes({ seed: Number(toGuid), bytes, toGuid, ...from }))
}

const named = (...puts: Put[]): string => puts.map(({ writeId }) => `${streamName(writeId)}\n`).join('')

async function projectOf({ store, project }: Setting) {
  const now = await store.catalogue.read(project)
  assert.ok(now)
  return now
}

test('names in order what leads to the head, and no side point', () =>
  inStore(async ({ setting, chain }) => {
    assert.is(await chain(), 'no chain')
    const full = await put(setting, null, 1n, 200 * KIB)
    assert.is(await chain(), named(full))
    const step = await put(setting, 1n, 2n)
    const side = await put(setting, 1n, 3n)
    assert.is(side.placement, 'side')
    assert.is(await chain(), named(full, step))
    const last = await put(setting, 2n, 4n)
    assert.is(await chain(), named(full, step, last))
  }))

test('a shell that knows nothing of us reads the streams by it, in order', () =>
  inStore(async ({ root, setting }) => {
    const bytes = [await streamBytes({ seed: 1, bytes: 90 * KIB, toGuid: 1n })]
    bytes.push(await streamBytes({ seed: 2, bytes: 70 * KIB, fromGuid: 1n, toGuid: 2n }))
    for (const stream of bytes) await putBytes(setting, stream)
    const script = 'while read -r s; do cat < "$s" || break; done < chain'
    const cwd = projectDirectory(root, setting.project)
    const { stdout } = spawnSync('sh', ['-c', script], { cwd, maxBuffer: 1 << 24 })
    assert.ok(stdout.equals(Buffer.concat(bytes)))
  }))

test('is right again after a crash between a commit and its rewriting', () =>
  inStore(async ({ root, setting, chain }) => {
    const full = await put(setting, null, 1n)
    const old = await chain()
    const step = await put(setting, 1n, 2n)
    await crashBeforeRewriting(root, setting, old)
    const again = await openDirectoryStore(root)
    assert.is(await chain(), named(full, step))
    await again.close()
  }))

/** What a process leaves that is killed there: its transaction with the mark of it, and the file as it was. */
async function crashBeforeRewriting(root: string, setting: Setting, old: string): Promise<void> {
  const file = chainFile(root, setting.project)
  const { store } = setting
  await rm(file)
  await mkdir(file)
  const now = await projectOf(setting)
  await store.catalogue.apply({
    project: setting.project,
    what: 'the same head again',
    if: { rev: now.statics.rev },
    set: { head: now.statics.head },
    rows: [],
  })
  assert.equal(await readdir(file), [], 'it could not be rewritten')
  await rm(file, { recursive: true })
  await writeFile(file, old)
}

test('is rewritten before a stream that it named is unlinked, or nothing is unlinked', () =>
  inStore(async ({ root, setting, chain }) => {
    const full = await put(setting, null, 1n)
    const step = await put(setting, 1n, 2n)
    const short = await put(setting, null, 2n, 10 * KIB)
    assert.is(await chain(), named(short))
    const file = chainFile(root, setting.project)
    const superseded = [full, step].map(({ writeId }) => writeId)
    await deleting(setting, superseded)
    await rm(file)
    await mkdir(file)
    const removal = { project: setting.project, writeId: full.writeId, chunkBytes: 64 * KIB, seqHigh: 64 }
    const failed = await setting.store.blobs.remove(removal).catch((error: unknown) => error)
    assert.instance(failed, Error)
    assert.ok((await readdir(join(file, '..'))).includes(streamName(full.writeId)))
    await rm(file, { recursive: true })
    await setting.store.blobs.remove(removal)
    assert.not((await readdir(join(file, '..'))).includes(streamName(full.writeId)))
    assert.is(await chain(), named(short))
  }))

async function deleting(setting: Setting, writes: readonly WriteId[]): Promise<void> {
  const { catalogue }: Store = setting.store
  for (const mark of [supersedeWrites, markDeleting]) {
    const project = await projectOf(setting)
    const rows = writes.flatMap((writeId) => project.rows.get(writeId) ?? [])
    const open = rows.filter(({ state }) => mark === markDeleting || state === 'committed')
    if (open.length > 0) assert.ok(await catalogue.apply(mark(project, open, 0)))
  }
}

test('what crashes left on the way is swept once it is old', () =>
  inStore(async ({ root }) => {
    const [old, young] = ['chain.old', 'chain.young'].map((name) => join(root, 'temporary', name))
    for (const file of [old, young]) await writeFile(file as string, 'half')
    await utimes(old as string, 1, 1)
    await (await openDirectoryStore(root)).close()
    assert.equal(await readdir(join(root, 'temporary')), ['chain.young'])
  }))

test('leaves with the project’s last write, and so does the directory', () =>
  inStore(async ({ root, setting }) => {
    const full = await put(setting, null, 1n)
    const { catalogue, blobs } = setting.store
    const before = await projectOf(setting)
    await catalogue.apply({
      project: setting.project,
      what: 'a purge',
      if: { rev: before.statics.rev },
      set: { life: 'purging', head: null },
      rows: [{ kind: 'update', writeId: full.writeId, if: 'committed', set: { state: 'deleting' } }],
    })
    await blobs.remove({ project: setting.project, writeId: full.writeId, chunkBytes: 64 * KIB, seqHigh: 64 })
    assert.equal(await readdir(join(root, 'projects')), [])
    const row = (await projectOf(setting)).rows.get(full.writeId)
    assert.ok(row && (await catalogue.apply(markDeleted(setting.project, row, 0))))
  }))

test.run()
