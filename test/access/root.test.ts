import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rootHandlers } from '../../daemon/access/root.ts'
import { ErrnoError } from '../../native/fuse/errno.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'

const test = suite('access: root')

/** What was asked for a path, and so may have been opened. */
function aRoot(listed: readonly string[] = []) {
  const opened: ProjectId[] = []
  const handlers = rootHandlers({
    mountRoot: '/real',
    madeAtMs: 1000,
    listed: () => listed.map(projectId),
    pathOf: async (id) => {
      opened.push(id)
      return `/real/${id}`
    },
  })
  return { handlers, opened }
}

async function errnoOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise
  } catch (error) {
    return error instanceof ErrnoError ? error.errno : String(error)
  }
  return undefined
}

test('any well-formed id is a link from memory, and nothing is opened before it is followed', async () => {
  const { handlers, opened } = aRoot()
  for (const id of ['p', '0', 'a-b', 'x'.repeat(63), '7c9e6679-7425-40de-944b-e07fc1f90ae7']) {
    const { mode, size } = await handlers.getattr(`/${id}`)
    assert.is(mode, 0o120777)
    assert.is(size, `/real/${id}`.length)
  }
  assert.equal(opened, [])
  assert.is(await handlers.readlink('/a-b'), '/real/a-b')
  assert.equal(opened, ['a-b'])
})

test('two links are no project’s: where projects are mounted, and what owners are told', async () => {
  const { handlers, opened } = aRoot(['p1'])
  assert.is(await handlers.readlink('/.tidepool'), '/real')
  assert.is(await handlers.readlink('/.notices'), '/real/.notices')
  assert.is((await handlers.getattr('/.notices')).size, '/real/.notices'.length)
  assert.equal(await handlers.readdir('/'), ['.', '..', 'p1'])
  assert.equal(opened, [])
})

test('what is no id does not exist, and is not asked for', async () => {
  const { handlers, opened } = aRoot()
  const tricks = [
    '/..',
    '/.',
    '/.health',
    '/-a',
    '/A',
    '/a_b',
    '/a.b',
    '/a b',
    '/a\n',
    '/a\u0000',
    '/a/..',
    '/a/b',
    '/../real/p1',
    '//',
    '/%2e%2e',
    '/ä',
    '/\ufffd',
    `/${'x'.repeat(64)}`,
    '/$(id)',
    '/p1;ls',
    '',
  ]
  for (const path of tricks) {
    assert.is(await errnoOf(handlers.getattr(path)), 'ENOENT', JSON.stringify(path))
    assert.is(await errnoOf(handlers.readlink(path)), 'ENOENT', JSON.stringify(path))
    assert.is(await errnoOf(handlers.readdir(path)), 'ENOENT', JSON.stringify(path))
  }
  assert.equal(opened, [])
})

test('the root is a directory that nobody can write to, and shows what is listed', async () => {
  const { handlers, opened } = aRoot(['p1', 'p2'])
  assert.is((await handlers.getattr('/')).mode, 0o040755)
  assert.equal(await handlers.readdir('/'), ['.', '..', 'p1', 'p2'])
  assert.is(await errnoOf(handlers.readlink('/')), 'ENOENT')
  assert.is((await handlers.getattr('/.tidepool')).mode, 0o120777)
  assert.is(await handlers.readlink('/.tidepool'), '/real', 'by which it is seen that it answers')
  assert.equal(opened, [])
})

test('why a project cannot be reached is told as it is', async () => {
  const handlers = rootHandlers({
    mountRoot: '/real',
    madeAtMs: 0,
    listed: () => [],
    pathOf: async () => {
      throw new ErrnoError('EDQUOT')
    },
  })
  assert.is(await errnoOf(handlers.readlink('/p1')), 'EDQUOT')
})

test.run()
