import { execFile } from 'node:child_process'
import { chmod, chown, lstat, mkdir, readdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AtOnce } from '../../daemon/auth/at-once.ts'
import { OwnerTokens } from '../../daemon/auth/owner-tokens.ts'
import { keptOwnersOf, ownersDirectoryOf } from '../../daemon/auth/owners.ts'
import type { Client } from '../../daemon/client/client.ts'
import { mountAt } from '../../native/mount/mountinfo.ts'
import { mayMount } from '../../native/mount/read-only-view.ts'
import { codeOf, type TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { rejection } from '../contracts/values.ts'
import { withDaemon } from '../support/daemon.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { ask } from '../support/raw-http.ts'

const test = suite('the owners’ socket')

/** Nobody but root has to prove nothing, so the owner of the tests is somebody else. */
const uid = process.getuid?.() || 1000
const gid = process.getgid?.() || 1000
const owner = { uid, gid }
const MINE = 4321

/** The fake's streams forget whose a directory is. */
async function openAsOwned(client: Client, id: string): Promise<void> {
  const { realPath } = await client.call<{ realPath: string }>('POST', `/v1/projects/${id}/open`)
  await chown(realPath, uid, gid)
  await client.call('POST', `/v1/projects/${id}/open`)
}

test('an owner asks what is his, with what only he can read, and nothing else', () =>
  withDaemon(async ({ client, config, ownersSocket, refusals }) => {
    for (const id of ['mine', 'other']) await client.call('POST', '/v1/projects', { body: { id, owner } })
    const file = join(ownersDirectoryOf(config.run), 'mine')
    const { mode, uid: of } = await lstat(file)
    assert.equal([mode & 0o7777, of], [0o400, uid])
    const token = await readFile(file, 'utf8')
    const asked = (method: string, path: string, secret = token) =>
      ask({ socketPath: ownersSocket, method, path, token: secret })
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/save'],
      ['POST', '/snapshot'],
      ['GET', '/history'],
      ['POST', '/close'],
      ['POST', '/open'],
    ] as const)
      assert.is((await asked(method, `/v1/projects/mine${path}`)).status, 200, path)
    assert.equal(refusals, [])
    for (const [method, path, status] of [
      ['GET', '/v1/projects', 403],
      ['GET', '/v1/status', 403],
      ['GET', '/v1/openapi.json', 403],
      ['POST', '/v1/projects', 403],
      ['POST', '/v1/projects/mine/evict', 403],
      ['POST', '/v1/projects/mine/destroy', 403],
      ['POST', '/v1/projects/mine/rollback', 403],
      ['PUT', '/v1/projects/mine/quota', 403],
      ['PUT', '/v1/projects/mine/properties', 403],
      ['POST', '/v1/projects/mine/move', 403],
      ['GET', '/v1/projects/other', 401],
      ['GET', '/v1/projects/unknown', 401],
      ['GET', '/v1/nowhere', 404],
    ] as const) {
      const answer = await asked(method, path)
      assert.is(answer.status, status, path)
      const told = refusals.at(-1)
      assert.equal([told?.listener, told?.path, told?.status], ['owners', path, status])
      assert.is(told?.requestId, answer.headers['x-request-id'])
    }
    assert.is((await asked('GET', '/v1/projects/mine', 'wrong')).status, 401)
    const nobody = await ask({ socketPath: ownersSocket, method: 'GET', path: '/v1/projects/mine' })
    assert.is(nobody.status, 401)
    assert.is(nobody.headers['www-authenticate'], 'Bearer')
    assert.not.match(JSON.stringify(refusals), token)
  }))

test('a token stays while its project is closed here, is good for asking alone after an eviction, and goes with a destruction', () =>
  withDaemon(async ({ client, config, ownersSocket, daemon, again }) => {
    const there = async () => (await readdir(ownersDirectoryOf(config.run))).sort()
    const post = (path: string) => client.call('POST', `/v1/projects/${path}`)
    for (const id of ['a', 'b']) await client.call('POST', '/v1/projects', { body: { id, owner } })
    for (const id of ['a', 'b']) {
      await post(`${id}/save`)
      await post(`${id}/close`)
    }
    assert.equal(await there(), ['a', 'b'])
    await post('a/evict')
    await post('b/destroy')
    assert.equal(await there(), ['a'])
    const token = await readFile(join(ownersDirectoryOf(config.run), 'a'), 'utf8')
    const status = async (method: string, path: string, secret = token) =>
      (await ask({ socketPath: ownersSocket, method, path: `/v1/projects/a${path}`, token: secret })).status
    const asWhenAway = async () => {
      assert.is(await status('GET', '/why'), 200)
      assert.is(await status('GET', '/why', `${token}x`), 401)
      assert.is(await status('POST', '/open'), 403)
      assert.is(await status('POST', '/save'), 403)
    }
    await asWhenAway()
    // What a killed daemon has begun is taken away, and what is no owner's.
    await daemon.stop()
    const kept = await keptOwnersOf(config.run)
    await writeFile(join(kept, '.1.left'), 'x')
    await writeFile(join(kept, 'stranger'), 'x')
    const next = await again()
    assert.equal(await there(), ['a'])
    await asWhenAway()
    await openAsOwned(client, 'a')
    const anew = await readFile(join(ownersDirectoryOf(config.run), 'a'), 'utf8')
    assert.is(await status('POST', '/save', anew), 200)
    await next.stop()
  }))

test('of what was evicted longest ago there is no token any more', async () => {
  const { path, remove } = await temporaryDirectory()
  try {
    const tokens = await OwnerTokens.open(join(path, 'owners'))
    const project = join(path, 'project')
    await mkdir(project)
    await chown(project, uid, gid)
    for (let n = 0; n < 1003; n++) {
      const id = projectId(`p${n}`)
      await tokens.settle(id, project)
      tokens.leave(id)
    }
    const names = await readdir(join(path, 'owners'))
    assert.is(names.length, 1000)
    for (const gone of ['p0', 'p1', 'p2']) assert.not(names.includes(gone))
    // One that comes back is not counted any more.
    await tokens.settle(projectId('p3'), project)
    for (const n of [2000, 2001]) {
      await tokens.settle(projectId(`p${n}`), project)
      tokens.leave(`p${n}`)
    }
    assert.ok((await readdir(join(path, 'owners'))).includes('p3'))
    assert.not((await readdir(join(path, 'owners'))).includes('p4'))
  } finally {
    await remove()
  }
})

test('what somebody laid in the place of a token is neither followed nor changed', () =>
  withDaemon(async ({ client, config, fake, ownersSocket }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p', owner } })
    const directory = await keptOwnersOf(config.run)
    await client.call('POST', '/v1/projects/p/save')
    await client.call('POST', '/v1/projects/p/evict')
    const victim = join(fake.directory, 'victim')
    await writeFile(victim, 'untouched', { mode: 0o600 })
    await unlink(join(directory, 'p'))
    await symlink(victim, join(directory, 'p'))
    const asked = { socketPath: ownersSocket, method: 'GET', path: '/v1/projects/p' }
    assert.is((await ask({ ...asked, token: 'untouched' })).status, 401)
    const before = await lstat(victim)
    await openAsOwned(client, 'p')
    const after = await lstat(victim)
    assert.equal([after.mode, after.uid, after.ctimeMs], [before.mode, before.uid, before.ctimeMs])
    assert.is(await readFile(victim, 'utf8'), 'untouched')
    assert.ok((await lstat(join(directory, 'p'))).isFile())
  }))

// Elsewhere nobody but the tests' own user can have a project.
if (await mayMount())
  test('an owner reads his token and can do nothing else with it, also as root of a namespace of his own', () =>
    withDaemon(async ({ client, config, daemon, fake, again }) => {
      await chmod(fake.directory, 0o711)
      await client.call('POST', '/v1/projects', { body: { id: 'p', owner: { uid: MINE, gid: MINE } } })
      const owners = ownersDirectoryOf(config.run)
      const file = join(owners, 'p')
      const token = await readFile(file, 'utf8')
      const kept = join(await keptOwnersOf(config.run), 'p')
      const sh = (id: number, line: string): Promise<string> =>
        new Promise((resolve) => {
          const options = { uid: id, gid: id, cwd: '/', timeout: 60_000 }
          execFile('sh', ['-c', line, file, owners, kept], options, (error, out) =>
            resolve(error ? 'refused' : out),
          )
        })
      assert.is(await sh(MINE, 'cat "$0"'), token)
      for (const line of [
        'chmod 600 "$0"',
        'echo x >> "$0"',
        'truncate -s 1M "$0"',
        'touch "$0"',
        'touch "$1/new"',
        'ln "$0" "$1/new"',
        'cat "$2"',
        'echo x >> "$2"',
        'unshare -Urm sh -c \'mount -o remount,bind,rw "$1" && chmod 600 "$0"\' "$0" "$1"',
        'unshare -Urm sh -c \'umount "$1" && touch "$1/new"\' "$0" "$1"',
      ])
        assert.is(await sh(MINE, line), 'refused', line)
      assert.is(await sh(MINE + 1, 'cat "$0"'), 'refused')
      assert.equal(await readdir(owners), ['p'])
      const { mode, size, uid: of } = await lstat(file)
      assert.equal([mode & 0o7777, size, of], [0o400, token.length, MINE])
      await daemon.stop()
      assert.is(await sh(MINE, 'cat "$0"'), 'refused', 'nobody answers whoever proves it')
      assert.is(await mountAt(owners), undefined)
      // As by an earlier version, or one that could not mount.
      await writeFile(join(owners, 'q'), 'x')
      await chown(join(owners, 'q'), MINE, MINE)
      const next = await again()
      assert.is(await sh(MINE, 'cat "$0"'), token)
      await next.stop()
      assert.equal(await readdir(owners), [])
    }))

test('one owner can have so many requests at a time, and they are told when to come again', () => {
  const atOnce = new AtOnce()
  const leaves = Array.from({ length: 8 }, () => atOnce.enter('owner:p'))
  assert.throws(
    () => atOnce.enter('owner:p'),
    (error: TidepoolError) => error.code === 'too-many-requests' && error.facts.retryAfterS === 1,
  )
  atOnce.enter('owner:q')
  for (let i = 0; i < 20; i++) atOnce.enter('root')
  leaves.pop()?.()
  atOnce.enter('owner:p')
})

test('tokens are made only where nobody else can make files, and many at once end as one', async () => {
  const { path, remove } = await temporaryDirectory()
  try {
    for (const [name, make] of [
      ['writable', () => mkdir(join(path, 'writable')).then(() => chmod(join(path, 'writable'), 0o777))],
      ['link', () => symlink('/tmp', join(path, 'link'))],
      ['file', () => writeFile(join(path, 'file'), '')],
    ] as const) {
      await make()
      assert.is(codeOf(await rejection(OwnerTokens.open(join(path, name)), name)), 'owners-directory', name)
    }
    const tokens = await OwnerTokens.open(join(path, 'owners'))
    assert.is((await lstat(join(path, 'owners'))).mode & 0o777, 0o711)
    const project = join(path, 'project')
    await mkdir(project)
    await chown(project, uid, gid)
    await Promise.all(Array.from({ length: 30 }, () => tokens.settle(projectId('p'), project)))
    assert.equal(await readdir(join(path, 'owners')), ['p'])
    const secret = await readFile(tokens.fileOf(projectId('p')), 'utf8')
    assert.ok(await tokens.proves(projectId('p'), secret, project))
    assert.not.ok(await tokens.proves(projectId('p'), secret, join(path, 'not-there')))
    for (const wrong of [undefined, '', `${secret} `, secret.slice(1)])
      assert.not.ok(await tokens.proves(projectId('p'), wrong, project))
  } finally {
    await remove()
  }
})

test.run()
