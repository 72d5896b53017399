import { spawnSync } from 'node:child_process'
import { chmod, cp, mkdir, readdir, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { newWriteId, projectId } from '../../../pipeline/base/ids.ts'
import { createProject } from '../../../pipeline/graph/transitions/life.ts'
import { initDirectoryStore, openDirectoryStore } from '../../../pipeline/stores/directory/index.ts'
import { writePaths } from '../../../pipeline/stores/directory/layout.ts'
import { refuseNetwork } from '../../../pipeline/stores/directory/marker.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { streamBytes } from '../../support/stream-generator.ts'
import { fetchBytes, headOf, KIB, putBytes, putSetting } from '../../support/transfer.ts'

const test = suite('directory store')

async function inDirectory(body: (path: string, root: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    await body(path, join(path, 'store'))
  } finally {
    await remove()
  }
}

/** The error, which must name what was tried and say what to do. */
async function refusal(work: Promise<unknown>, code: string, path: string): Promise<void> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(error instanceof TidepoolError, String(error))
  assert.is(error.code, code)
  assert.ok(error.message.includes(path), error.message)
  assert.ok(error.hint, 'a hint')
}

async function made(root: string): Promise<void> {
  await (await openDirectoryStore(root, { init: true })).close()
}

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
  assert.equal(
    (await readdir(paths.directory)).sort(),
    [`${writeId}.sums`, `${writeId}.zstream`, 'chain'].sort(),
  )
  assert.is(await readFile(join(paths.directory, 'chain'), 'utf8'), `${writeId}.zstream\n`)
  await second.close()
  await remove()
})

test('init makes a store once, and says whether it did', () =>
  inDirectory(async (_path, root) => {
    const first = await initDirectoryStore(root, { receivable: ['lz4'] })
    assert.is(first.created, true)
    assert.equal(first.info.receivable, ['lz4'])
    const second = await initDirectoryStore(root)
    assert.is(second.created, false)
    assert.equal(second.info, first.info)
    const store = await openDirectoryStore(root)
    assert.equal(await store.catalogue.info(), first.info)
    assert.is(store.url, `dir:${root}`)
    await store.close()
  }))

test('what one process says that hosts can receive, another that has it open sees, and nothing is left over', () =>
  inDirectory(async (_path, root) => {
    await initDirectoryStore(root)
    const [a, b] = [await openDirectoryStore(root), await openDirectoryStore(root)]
    try {
      assert.is((await b.catalogue.info()).receivable, null)
      await Promise.all([['lz4'], ['zstd'], ['raw']].map((said) => a.catalogue.setReceivable(said)))
      assert.equal(await b.catalogue.info(), await a.catalogue.info())
      assert.is((await b.catalogue.info()).receivable?.length, 1)
      assert.equal(
        (await readdir(root)).filter((name) => name.startsWith('tidepool.json')),
        ['tidepool.json'],
      )
      await rm(join(root, 'tidepool.json'))
      await refusal(b.catalogue.info(), 'not-a-store', root)
    } finally {
      await a.close()
      await b.close()
    }
    await refusal(b.catalogue.setReceivable(null), 'store-closed', root)
  }))

test('init goes on where an earlier one was cut short', () =>
  inDirectory(async (_path, root) => {
    await made(root)
    await rm(join(root, 'tidepool.json'))
    await rm(join(root, 'ballast'))
    await writeFile(join(root, 'tidepool.json.123'), '{"ki')
    assert.is((await initDirectoryStore(root)).created, true)
    await made(root)
  }))

test('init refuses a directory with other things in it, and touches nothing', () =>
  inDirectory(async (_path, root) => {
    await mkdir(root)
    await writeFile(join(root, 'letter.txt'), 'dear')
    await refusal(initDirectoryStore(root), 'store-not-empty', root)
    assert.equal(await readdir(root), ['letter.txt'])
  }))

test('a path that is not there', () =>
  inDirectory((_path, root) => refusal(openDirectoryStore(root), 'store-missing', root)))

test('a directory that is no store', () =>
  inDirectory((path) => refusal(openDirectoryStore(path), 'not-a-store', path)))

test('a path that is a file, to open and to init, and one below a file', () =>
  inDirectory(async (_path, root) => {
    await writeFile(root, 'a file')
    await refusal(openDirectoryStore(root), 'store-not-a-directory', root)
    await refusal(initDirectoryStore(root), 'store-not-a-directory', root)
    await refusal(openDirectoryStore(join(root, 'below')), 'store-not-a-directory', root)
    await refusal(initDirectoryStore(join(root, 'below')), 'store-not-a-directory', root)
  }))

test('a store of another format', () =>
  inDirectory(async (_path, root) => {
    await made(root)
    const file = join(root, 'tidepool.json')
    const marker = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(file, JSON.stringify({ ...marker, format: 2 }))
    await refusal(openDirectoryStore(root), 'store-format', root)
    await refusal(initDirectoryStore(root), 'store-format', root)
  }))

for (const [what, text] of [
  ['garbage', 'what is this'],
  ['another JSON', '{"hello": 1}'],
  ['nothing', ''],
] as const)
  test(`a store whose marker is ${what}`, () =>
    inDirectory(async (_path, root) => {
      await made(root)
      await writeFile(join(root, 'tidepool.json'), text)
      await refusal(openDirectoryStore(root), 'store-damaged', root)
    }))

test('a store whose catalogue is gone, or garbage', () =>
  inDirectory(async (path, root) => {
    await made(root)
    await cp(root, join(path, 'other'), { recursive: true })
    await rm(join(root, 'catalogue'), { recursive: true })
    await refusal(openDirectoryStore(root), 'catalogue-damaged', root)
    const other = join(path, 'other')
    await writeFile(join(other, 'catalogue', 'data.mdb'), Buffer.alloc(16 * KIB, 'rubbish'))
    await refusal(openDirectoryStore(other), 'catalogue-damaged', other)
  }))

test('a network file system is refused, a local one is not', async () => {
  await refusal(
    refuseNetwork('/somewhere', async () => 0x6969),
    'store-not-local',
    '/somewhere',
  )
  await refuseNetwork('/somewhere', async () => 0xef53)
})

test('what may only be read is read, and each change says why it is refused', () =>
  inDirectory(async (path, root) => {
    const bytes = await streamBytes({ seed: 1, bytes: 100 * KIB, toGuid: 1n })
    const writable = await openDirectoryStore(root, { init: true })
    const setting = await putSetting(writable)
    const { writeId } = await putBytes(setting, bytes)
    await writable.close()
    await asReader([path, root, join(root, 'catalogue'), join(root, 'projects')], async () => {
      const store = await openDirectoryStore(root)
      assert.ok((await fetchBytes({ ...setting, store }, writeId)).equals(bytes))
      const { project } = setting
      const other = createProject(projectId('other'), { owner: null, nowMs: 0 })
      await refusal(store.catalogue.apply(other), 'store-read-only', root)
      await refusal(store.catalogue.writeNote('a', 'b'), 'store-read-only', root)
      const write = { project, writeId: newWriteId(), chunkBytes: 64 * KIB }
      await refusal(store.blobs.create(write), 'store-read-only', root)
      await refusal(store.blobs.remove({ ...write, writeId, seqHigh: 2 }), 'store-read-only', root)
      assert.equal(await store.catalogue.read(projectId('other')), undefined)
      await store.close()
    })
  }))

test('what may not be read says so', () =>
  inDirectory(async (path, root) => {
    await made(root)
    await chmod(path, 0o755)
    await chmod(root, 0)
    await asReader([], () => refusal(openDirectoryStore(root), 'store-denied', root))
    await chmod(root, 0o755)
  }))

/** Root may write everywhere, so it becomes nobody for that time; and nobody needs to be let in. */
async function asReader(directories: readonly string[], body: () => Promise<void>): Promise<void> {
  const [top] = directories
  if (top) spawnSync('chmod', ['-R', 'a+rX', top])
  for (const directory of directories) await chmod(directory, 0o555)
  const root = process.geteuid?.() === 0
  if (root) process.seteuid?.(65_534)
  try {
    await body()
  } finally {
    if (root) process.seteuid?.(0)
    for (const directory of directories) await chmod(directory, 0o755)
  }
}

test('what it makes is for its owner alone', () =>
  inDirectory(async (path, root) => {
    const store = await openDirectoryStore(root, { init: true })
    const setting = await putSetting(store)
    await putBytes(setting, await streamBytes({ seed: 1, bytes: 100 * KIB, toGuid: 1n }))
    await store.close()
    const project = join(root, 'projects', setting.project)
    const directories = [root, join(root, 'projects'), project, join(root, 'catalogue')]
    const files = (await readdir(project)).map((name) => join(project, name))
    for (const entry of [...directories, ...files, join(root, 'ballast')])
      assert.is((await stat(entry)).mode & 0o077, 0, entry.slice(path.length))
  }))

test('after its end every call says that it has ended', () =>
  inDirectory(async (_path, root) => {
    const store = await openDirectoryStore(root, { init: true })
    await store.close()
    await refusal(store.catalogue.writeNote('a', 'b'), 'store-closed', root)
    await refusal(store.catalogue.read(projectId('p')), 'store-closed', root)
    const write = { project: projectId('p'), writeId: newWriteId(), chunkBytes: 64 * KIB }
    await refusal(store.blobs.create(write), 'store-closed', root)
    await refusal(store.blobs.remove({ ...write, seqHigh: 1 }), 'store-closed', root)
    await refusal(store.blobs.stored()[Symbol.asyncIterator]().next(), 'store-closed', root)
  }))

test('its end closes what is open', () =>
  inDirectory(async (_path, root) => {
    const store = await openDirectoryStore(root, { init: true })
    const write = { project: projectId('p'), writeId: newWriteId(), chunkBytes: 64 * KIB }
    const writer = await store.blobs.create(write)
    const opening = store.blobs.create({ ...write, writeId: newWriteId() })
    await Promise.all([store.close(), opening.catch(() => {})])
    assert.instance(await writer.seal().catch((error: unknown) => error), Error)
    await refusal(opening, 'store-closed', root)
    const held = await Promise.all(
      (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    )
    assert.equal(
      held.filter((file) => file.startsWith(root)),
      [],
    )
  }))

test('a file system that went away is not taken for missing chunks', () =>
  inDirectory(async (path, root) => {
    const store = await openDirectoryStore(root, { init: true })
    const setting = await putSetting(store)
    const { writeId, manifest } = await putBytes(
      setting,
      await streamBytes({ seed: 1, bytes: 100 * KIB, toGuid: 1n }),
    )
    const extent = { ...manifest, project: setting.project, writeId }
    await rename(root, join(path, 'elsewhere'))
    await refusal(store.blobs.open(extent), 'store-gone', root)
    await refusal(store.blobs.missing(extent)[Symbol.asyncIterator]().next(), 'store-gone', root)
    await refusal(store.blobs.stored()[Symbol.asyncIterator]().next(), 'store-gone', root)
    await rename(join(path, 'elsewhere'), root)
    await store.close()
  }))

test.run()
