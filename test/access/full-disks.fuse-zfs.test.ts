/** The disk of the store, then that of the state directory, is full: what can go on does, the rest says so, and no restart is needed. */
import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually, walk } from '../support/fuse.ts'
import { type Host, type HostsOptions, withHosts } from '../support/hosts.ts'
import { PLAIN } from '../support/tree-changes.ts'

const test = suite('access: full disks')
const run = promisify(execFile)

interface Status {
  readonly failingSaves: readonly { readonly id: string; readonly why: string }[]
}

/** A small file system, to be filled and emptied. */
async function withSmallDisk(
  sizeMib: number,
  body: (disk: { path: string; fill: () => Promise<void>; empty: () => Promise<void> }) => Promise<void>,
): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tidepool-test', path])
  const filler = join(path, 'filler')
  try {
    await body({
      path,
      // Until no byte more goes in: the last block is taken by ones.
      fill: async () => {
        const { stdout } = await walk(`cat /dev/zero > ${filler}; df --output=avail ${path} | tail -1`)
        assert.is(stdout.trim(), '0')
      },
      empty: () => rm(filler),
    })
  } finally {
    await run('umount', ['-l', path])
    await remove()
  }
}

const withProject = (options: HostsOptions, body: (host: Host, file: string) => Promise<void>) =>
  withHosts(
    async ([host]) => {
      if (!host) throw new Error('there is no host')
      await host.daemon()
      await host.access()
      await host.create('p1', PLAIN)
      const file = `${host.root}/p1/file`
      assert.is((await walk(`echo one > ${file}`, { plain: true })).stderr, '')
      await host.ask('p1', 'save')
      await body(host, file)
    },
    { config: ['save: {interval: 2s}'], ...options },
  )

const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'done',
    (error: { code?: string }) => String(error.code),
  )

test('a full store: saves stop and say so, users read and write, and all goes on once there is space', () =>
  withSmallDisk(64, (disk) =>
    withProject({ store: join(disk.path, 'store') }, async (host, file) => {
      await disk.fill()
      const wrote = await walk(`dd if=/dev/urandom of=${file}2 bs=1M count=20 && echo two >> ${file}`, {
        plain: true,
      })
      assert.is(wrote.code, 0, wrote.stderr)
      assert.is(await codeOf(host.ask('p1', 'save')), 'disk-full')
      await eventually('status says why', 60_000, async () => {
        const { failingSaves } = await host.status<Status>()
        return failingSaves.some(({ id, why }) => id === 'p1' && /full|space/.test(why))
      })
      assert.is((await walk(`cat ${file}`, { plain: true })).stdout, 'one\ntwo\n')
      assert.is((await walk(`ls ${host.root}/nobody/`, { plain: true })).code, 2)
      const sum = (await walk(`sha256sum < ${file}2`, { plain: true })).stdout
      await disk.empty()
      await eventually('it is saved by itself', 60_000, async () => {
        const { failingSaves } = await host.status<Status>()
        return failingSaves.length === 0
      })
      await host.ask('p1', 'evict')
      const back = await walk(`cat ${file}; sha256sum < ${file}2`, { plain: true, limitMs: 100_000 })
      assert.is(back.stdout, `one\ntwo\n${sum}`, back.stderr)
    }),
  ))

test('a full state directory keeps nobody from work: saved, closed, touched', () =>
  withSmallDisk(2, (disk) =>
    withProject({ state: join(disk.path, 'state') }, async (host, file) => {
      await disk.fill()
      assert.is((await walk(`echo two >> ${file}`, { plain: true })).stderr, '')
      await host.ask('p1', 'evict')
      assert.equal(await host.mounted(), [])
      const back = await walk(`cat ${file}`, { plain: true, limitMs: 100_000 })
      assert.is(back.stdout, 'one\ntwo\n', back.stderr)
      assert.equal((await host.status<Status>()).failingSaves, [])
      await host.create('p2', PLAIN)
      await disk.empty()
      await host.ask('p1', 'save')
    }),
  ))

test.run()
