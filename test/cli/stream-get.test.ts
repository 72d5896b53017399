import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { WriteId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { type Tidepool, tidepoolOver } from '../support/command.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { streamBytes } from '../support/stream-generator.ts'

const test = suite('stream get')

async function withWrite(
  use: (setting: {
    tidepool: Tidepool
    store: ReturnType<typeof memoryStore>
    stream: Buffer
    writeId: WriteId
    path: string
  }) => Promise<void>,
): Promise<void> {
  const store = memoryStore()
  const tidepool = tidepoolOver(store)
  const stream = await streamBytes({ seed: 5, bytes: 400_000, toGuid: 11n })
  const put = await tidepool(['--json', 'stream', 'put', 'p', '-', '--chunk-size', '64K'], { stdin: stream })
  const { path, remove } = await temporaryDirectory()
  try {
    await use({ tidepool, store, stream, writeId: put.json[0]?.writeId as WriteId, path })
  } finally {
    await remove()
  }
}

test('writes a file whole, and nothing beside it', () =>
  withWrite(async ({ tidepool, stream, writeId, path }) => {
    const got = await tidepool(['--json', 'stream', 'get', writeId, join(path, 'x')])
    assert.is(got.code, 0, got.stderr)
    assert.is(got.json[0]?.bytes, '400000')
    assert.ok((await readFile(join(path, 'x'))).equals(stream))
    assert.equal(await readdir(path), ['x'])
  }))

test('what was damaged in the store leaves the file as it was, and ends with exit code 4', () =>
  withWrite(async ({ tidepool, store, writeId, path }) => {
    await writeFile(join(path, 'x'), 'before')
    const chunk = store.state.blobs.get(writeId)?.chunks.get(3)
    chunk?.data.fill(0)
    const got = await tidepool(['stream', 'get', writeId, join(path, 'x')])
    assert.is(got.code, 4)
    assert.match(got.stderr, /is damaged: the bytes of chunk 3 /)
    assert.is(await readFile(join(path, 'x'), 'utf8'), 'before')
    assert.equal(await readdir(path), ['x'])
  }))

test('follows a symbolic link and leaves it one', () =>
  withWrite(async ({ tidepool, stream, writeId, path }) => {
    await writeFile(join(path, 'x'), 'before')
    await symlink('x', join(path, 'link'))
    assert.is((await tidepool(['stream', 'get', writeId, join(path, 'link')])).code, 0)
    assert.ok((await readFile(join(path, 'x'))).equals(stream))
    assert.equal((await readdir(path)).sort(), ['link', 'x'])
  }))

test('refuses what no file can be put in place of, each with its reason', () =>
  withWrite(async ({ tidepool, writeId, path }) => {
    await mkdir(join(path, 'd'))
    const refused = async (file: string) => (await tidepool(['stream', 'get', writeId, file])).stderr
    assert.match(await refused(join(path, 'd')), /is there, and is not a file/)
    assert.match(await refused('/dev/null'), /is there, and is not a file/)
    assert.match(
      await refused(join(path, 'none/x')),
      /can't write .*none\/x: there is no such file or directory/,
    )
    if (process.getuid?.() !== 0) {
      await chmod(join(path, 'd'), 0o500)
      assert.match(await refused(join(path, 'd/x')), /this user may not do that/)
    }
    const terminal = await tidepool(['stream', 'get', writeId], { isTTY: true })
    assert.is(terminal.code, 2)
    assert.match(terminal.stderr, /a stream is not for a terminal/)
  }))

test('finds a write by project and id, by id, and by a beginning that no other has', () =>
  withWrite(async ({ tidepool, stream, writeId }) => {
    const ways = [
      [`p/${writeId}`],
      [writeId],
      [writeId.slice(0, 8)],
      [`p/${writeId.slice(0, 5)}`],
      [writeId, '--project', 'p'],
    ]
    for (const way of ways) {
      const got = await tidepool(['stream', 'get', ...way])
      assert.is(got.code, 0, got.stderr)
      assert.ok(got.stdout.equals(stream))
    }
  }))

test('says what is wrong with an id that names nothing', () =>
  withWrite(async ({ tidepool, writeId }) => {
    const refused = async (...way: string[]) => {
      const { code, stderr } = await tidepool(['stream', 'get', ...way])
      return `${code} ${stderr}`
    }
    assert.match(await refused('abc'), /^2 tidepool: "abc" is not a write id/)
    assert.match(await refused('xyz!'), /^2 .*"xyz!" is not a write id/)
    assert.match(await refused('P/00000000'), /^2 .*"P" is not a project id/)
    assert.match(await refused('q/00000000'), /^1 .*there is no project q/)
    const other = writeId.startsWith('0000') ? '1111' : '0000'
    assert.match(await refused(other), new RegExp(`^1 .*there is no write ${other} in this store`))
    assert.match(await refused(`p/${other}`), /there is no write .* in project p/)
  }))

test('a beginning that two writes have is refused with both', async () => {
  const store = memoryStore()
  const tidepool = tidepoolOver(store)
  const ids: string[] = []
  // Two of seventeen begin alike; then the shorter beginning must be refused.
  for (let seed = 1; seed <= 3; seed++) {
    const stdin = await streamBytes({ seed, bytes: 10_000 })
    ids.push((await tidepool(['stream', 'put', `p${seed}`, '--json'], { stdin })).json[0]?.writeId as string)
  }
  const [first = '', second = ''] = ids
  const project = [...store.state.projects.values()][1]
  const row = project?.rows.get(second as WriteId)
  if (!project || !row) throw new Error('no row')
  const twin = `${first.slice(0, 8)}${second.slice(8)}` as WriteId
  store.state.projects.set(project.id, { ...project, rows: new Map([[twin, { ...row, writeId: twin }]]) })
  const { code, stderr } = await tidepool(['stream', 'get', first.slice(0, 8)])
  assert.is(code, 1)
  assert.match(stderr, /2 writes begin with/)
  assert.ok(stderr.includes(`p1/${first}`) && stderr.includes(`p2/${twin}`))
})

test('a write that was never committed can not be read', async () => {
  const store = memoryStore()
  const tidepool = tidepoolOver(store)
  const whole = await streamBytes({ seed: 1, bytes: 10_000 })
  await tidepool(['stream', 'put', 'p'], { stdin: whole.subarray(0, 5000) })
  const [writeId = ''] = [...store.state.projects.values()].flatMap((project) => [...project.rows.keys()])
  const got = await tidepool(['stream', 'get', writeId])
  assert.is(got.code, 1)
  assert.match(got.stderr, /is deleted\n {2}`tidepool stream ls p` lists the writes that can be read/)
})

test.run()
