/** What other users of the machine can do: the command as they run it, projects of a real ZFS, and files that are really theirs. */
import { execFile } from 'node:child_process'
import { chmod, chown, lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Refusal } from '../../daemon/auth/caller.ts'
import { ownersDirectoryOf } from '../../daemon/auth/owners.ts'
import { Client } from '../../daemon/client/client.ts'
import { configInPlace } from '../../daemon/config/in-place.ts'
import { parseConfig } from '../../daemon/config/read.ts'
import { Daemon, ownersSocketOf, socketOf } from '../../daemon/daemon.ts'
import { openedInMemory } from '../support/daemon.ts'
import { ask } from '../support/raw-http.ts'
import { withPool } from '../support/zfs-pool.ts'

const test = suite('other users of the machine')

const COMMAND = fileURLToPath(new URL('../../bin/tidepool', import.meta.url))
const [MINE, STRANGER] = [4321, 4322]

interface Setting {
  readonly client: Client
  readonly owners: string
  readonly ownersSocket: string
  readonly as: (uid: number, ...words: string[]) => Promise<{ code: number; text: string }>
  readonly refusals: readonly Refusal[]
  readonly restart: () => Promise<void>
}

const withUsers = (body: (setting: Setting) => Promise<void>): Promise<void> =>
  withPool(async (pool) => {
    await chmod(pool.directory, 0o711)
    const text = configInPlace(pool.directory, { store: 'dir:/unused', dataset: pool.parent }, [
      'evict: {afterCommit: 0s}',
    ])
    const config = parseConfig(text, 'test.yaml')
    const opened = openedInMemory()
    const refusals: Refusal[] = []
    const refused = (one: Refusal): void => void refusals.push(one)
    const start = () =>
      Daemon.start(config, undefined, { openStore: async () => opened, zfs: pool.zfs, refused })
    let daemon = await start()
    const socket = socketOf(config)
    const as = (uid: number, ...words: string[]) =>
      new Promise<{ code: number; text: string }>((resolve) => {
        const env = { PATH: process.env.PATH, TIDEPOOL_SOCKET: socket }
        execFile(process.execPath, [COMMAND, ...words], { uid, gid: uid, env, cwd: '/' }, (error, out, err) =>
          resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, text: out + err }),
        )
      })
    try {
      await body({
        client: new Client({ socket }),
        owners: ownersDirectoryOf(config.run),
        ownersSocket: ownersSocketOf(config),
        as,
        refusals,
        restart: async () => {
          await daemon.stop()
          daemon = await start()
        },
      })
    } finally {
      await daemon.stop()
    }
  })

test('an owner uses the command for what is his, a stranger for nothing', () =>
  withUsers(async ({ client, owners, as, restart }) => {
    const create = (id: string, uid: number) =>
      client.call('POST', '/v1/projects', { body: { id, owner: { uid, gid: uid } } })
    await create('mine', MINE)
    await create('theirs', STRANGER)
    for (const words of [
      ['status', 'mine'],
      ['save', 'mine'],
      ['history', 'mine'],
      ['snapshot', 'mine'],
    ]) {
      const { code, text } = await as(MINE, ...words)
      assert.is(code, 0, `${words.join(' ')}: ${text}`)
    }
    const other = await as(STRANGER, 'status', 'mine')
    assert.match(other.text, /project mine belongs to somebody else/)
    assert.is(other.code, 1)
    for (const words of [['ls'], ['status'], ['create', 'new']]) {
      const { code, text } = await as(MINE, ...words)
      assert.match(text, /may not speak to the daemon/, words.join(' '))
      assert.is.not(code, 0)
    }
    assert.match((await as(MINE, 'destroy', 'mine', '--yes')).text, /not for the owners of projects/)
    await restart()
    for (const verb of ['close', 'open']) {
      const { code, text } = await as(MINE, verb, 'mine')
      assert.is(code, 0, `${verb}: ${text}`)
    }
    // The owner of the directory comes back with its streams.
    await client.call('POST', '/v1/projects/mine/evict')
    const why = await as(MINE, 'why', 'mine')
    assert.is(why.code, 0, why.text)
    assert.match((await as(MINE, 'save', 'mine')).text, /is not on this host any more/)
    assert.match((await as(STRANGER, 'why', 'mine')).text, /belongs to somebody else/)
    await client.call('POST', '/v1/projects/mine/open')
    assert.is((await as(MINE, 'status', 'mine')).code, 0)
    assert.is((await lstat(join(owners, 'mine'))).uid, MINE)
  }))

test('a new owner of the directory can ask at once, the one before no longer', () =>
  withUsers(async ({ client, as, refusals }) => {
    const owner = { uid: MINE, gid: MINE }
    const { realPath } = await client.call<{ realPath: string }>('POST', '/v1/projects', {
      body: { id: 'p', owner },
    })
    assert.is((await as(STRANGER, 'save', 'p')).code, 1)
    assert.equal(
      refusals.map(({ listener, status, path }) => [listener, status, path]),
      [['owners', 401, '/v1/projects/p/save']],
    )
    await chown(realPath, STRANGER, STRANGER)
    assert.is((await as(STRANGER, 'save', 'p')).code, 0)
    assert.match((await as(MINE, 'save', 'p')).text, /belongs to somebody else/)
    await chown(realPath, 0, 0)
    assert.is((await as(STRANGER, 'save', 'p')).code, 1)
    await chown(realPath, MINE, MINE)
    assert.is((await as(MINE, 'save', 'p')).code, 0)
  }))

test('another owner of the directory makes the token of the one before worthless', () =>
  withUsers(async ({ client, owners, ownersSocket, restart }) => {
    const owner = { uid: MINE, gid: MINE }
    const { realPath } = await client.call<{ realPath: string }>('POST', '/v1/projects', {
      body: { id: 'p', owner },
    })
    const token = () => readFile(join(owners, 'p'), 'utf8')
    const status = async (secret: string) =>
      (await ask({ socketPath: ownersSocket, method: 'GET', path: '/v1/projects/p', token: secret })).status
    const first = await token()
    assert.is(await status(first), 200)
    await chown(realPath, STRANGER, STRANGER)
    assert.is(await status(first), 401)
    const second = await token()
    assert.is.not(second, first)
    assert.is((await lstat(join(owners, 'p'))).uid, STRANGER)
    assert.is(await status(second), 200)
    // Root's own: nobody has a token, and the one that there was is gone at the next open.
    await chown(realPath, 0, 0)
    assert.is(await status(second), 401)
    await client.call('POST', '/v1/projects/p/open')
    assert.equal(await readdir(owners), [])
    await chown(realPath, MINE, MINE)
    await client.call('POST', '/v1/projects/p/open')
    const third = await token()
    // A restart changes nothing for who has not changed, and notices who has.
    await restart()
    assert.is(await token(), third)
    assert.is(await status(third), 200)
    await chown(realPath, STRANGER, STRANGER)
    await restart()
    assert.is.not(await token(), third)
    assert.is(await status(third), 401)
  }))

test.run()
