/** Quotas, full pools, full stores and hands in the pool, on a real ZFS: an error that says what to do, and nothing lost. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { changeQuota } from '../../daemon/projects/change-quota.ts'
import { close } from '../../daemon/projects/close.ts'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { evict } from '../../daemon/projects/evict.ts'
import { liveName, SAVE_HOLD } from '../../daemon/projects/names.ts'
import { open } from '../../daemon/projects/open.ts'
import { reconcile } from '../../daemon/projects/reconcile.ts'
import { rollBack } from '../../daemon/projects/roll-back.ts'
import { save } from '../../daemon/projects/save.ts'
import { snapshotProject } from '../../daemon/projects/snapshot.ts'
import { destroySnapshot, release } from '../../native/zfs/dataset.ts'
import { listDatasets, listSnapshots } from '../../native/zfs/list.ts'
import { poolOf } from '../../native/zfs/names.ts'
import { poolState } from '../../native/zfs/pool.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { MIB } from '../../pipeline/base/units.ts'
import { openDirectoryStore } from '../../pipeline/stores/directory/index.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { all, rejection } from '../contracts/values.ts'
import { projectHost } from '../support/project-host.ts'
import { asPlainUser, PLAIN } from '../support/tree-changes.ts'
import { withPool } from '../support/zfs-pool.ts'

const test = suite('projects in adversity')
const P = projectId('p1')
const OTHER = projectId('p2')
const run = promisify(execFile)

/** A directory on a disk of its own, of so many bytes. */
async function withSmallDisk(bytes: number, body: (path: string) => Promise<void>): Promise<void> {
  const path = `/var/tmp/tidepool-test-disk-${process.pid}`
  await mkdir(path)
  await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path])
  try {
    await body(path)
  } finally {
    await run('umount', [path])
    await rm(path, { recursive: true })
  }
}

/** In large writes: near a quota OpenZFS lets each one wait for a transaction group of its own, 1010 for 8 MiB in writes of 8 KiB. */
const write20MiB = (file: string): string => `dd if=/dev/urandom of=${file} bs=1M count=20 status=none`

/** OpenZFS frees what was destroyed in the background. */
async function onceFreed<T>(act: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + 120_000; ; await sleep(1000))
    try {
      return await act()
    } catch (error) {
      if (codeOf(error) !== 'out-of-space' || Date.now() > end) throw error
    }
}

test('past its quota its user is told so by writes, df shows it, and it holds wherever it is opened', () =>
  withPool((one) =>
    withPool(async (two) => {
      const store = memoryStore()
      const a = await projectHost(one, store, { name: 'a' })
      const b = await projectHost(two, store, { name: 'b' })
      const quotaBytes = 8n * BigInt(MIB)
      const { path } = await createProjectHere(a, P, { quotaBytes, owner: PLAIN })
      for (const host of [a, b]) {
        const opened = await open(host, P)
        const { bsize, blocks } = await statfs(opened.path)
        assert.ok(Math.abs(bsize * blocks - Number(quotaBytes)) < MIB, `df: ${bsize * blocks}`)
        const past = `${write20MiB('big')} 2>&1 || :; sync; ${write20MiB('more')}`
        const refused = await rejection(asPlainUser(opened.path, past), 'more than the quota')
        assert.match(String(refused), /[Qq]uota exceeded|No space left/)
        await asPlainUser(opened.path, 'rm -f big more; echo kept > file')
        await close(host, P)
      }
      assert.is(await readFile(join((await open(a, P)).path, 'file'), 'utf8'), 'kept\n')
      assert.is(path, (await open(a, P)).path)
    }),
  ))

test('filled to its quota it opens again, wherever it was; what another host allows it holds for the first one too', () =>
  withPool((one) =>
    withPool(async (two) => {
      const store = memoryStore()
      const a = await projectHost(one, store, { name: 'a' })
      const b = await projectHost(two, store, { name: 'b' })
      await createProjectHere(a, P, { quotaBytes: 8n * BigInt(MIB), owner: PLAIN })
      const fill = async (host: typeof a): Promise<void> => {
        const { path } = await open(host, P)
        await asPlainUser(path, `${write20MiB('big')} 2>&1 || :; sync`)
      }
      for (const host of [a, b]) {
        await fill(host)
        await close(host, P)
        const { path } = await open(host, P)
        await asPlainUser(path, 'test -s big && rm big && echo kept > file')
        await fill(host)
        await close(host, P)
      }
      await evict(a, P)
      await asPlainUser((await open(a, P)).path, 'test -s big && rm big')
      await close(a, P)

      const { path } = await open(b, P)
      await changeQuota(b, P, 32n * BigInt(MIB))
      await asPlainUser(path, write20MiB('big'))
      await close(b, P)
      const { bsize, blocks } = await statfs((await open(a, P)).path)
      assert.ok(bsize * blocks > 30 * MIB, `df: ${bsize * blocks}`)
    }),
  ))

test('where its snapshots hold many times its quota no more points are made, and what it has stays', () =>
  withPool(async (world) => {
    const host = await projectHost(world, memoryStore(), { settings: { snapshotQuotaFactor: 1 } })
    const { path } = await createProjectHere(host, P, { quotaBytes: 8n * BigInt(MIB) })
    let refused: unknown
    for (let turn = 0; turn < 6 && !refused; turn++) {
      await writeFile(join(path, 'file'), randomBytes(4 * MIB))
      // By hand: the engine trims its own.
      await run('zfs', ['snapshot', `${liveName(host.parent, P)}@hand-${turn}`])
      refused = await save(host, P).then(
        () => undefined,
        (error) => error,
      )
    }
    assert.is(codeOf(refused), 'snapshots-over-quota')
    assert.ok(refused instanceof TidepoolError && refused.hint?.includes('by hand'))
    assert.is((await readFile(join(path, 'file'))).length, 4 * MIB)
    const there = () => listSnapshots(host.zfs, liveName(host.parent, P))
    const before = (await there()).map(({ name }) => name)
    await writeFile(join(path, 'more'), 'not in any snapshot')
    assert.is(codeOf(await rejection(save(host, P))), 'snapshots-over-quota')
    assert.is(codeOf(await rejection(snapshotProject(host, P, { local: true }))), 'snapshots-over-quota')
    assert.equal(
      (await there()).map(({ name }) => name),
      before,
      'what is refused leaves none behind',
    )
    for (const { name, guid } of await listSnapshots(host.zfs, liveName(host.parent, P)))
      if (name.includes('@hand-')) await destroySnapshot(host.zfs, name, guid)
    assert.is((await save(host, P)).kind, 'saved')
  }))

test('a pool without room for it says so, keeps nothing of it, and another host may have it', () =>
  withPool((large) =>
    withPool(
      async (small) => {
        const store = memoryStore()
        const a = await projectHost(large, store, { name: 'a' })
        const b = await projectHost(small, store, { name: 'b' })
        // One of them fits, however much of a pool this ZFS keeps for itself.
        const { availableBytes } = await poolState(b.zfs, poolOf(b.parent))
        const bytes = Math.round(Number(availableBytes) * 0.6)
        const { path } = await createProjectHere(a, P)
        await writeFile(join(path, 'file'), randomBytes(bytes))
        await close(a, P)
        const other = await createProjectHere(b, OTHER)
        await writeFile(join(other.path, 'file'), randomBytes(bytes))
        const full = await rejection(open(b, P), 'an open without room')
        assert.is(codeOf(full), 'out-of-space')
        assert.equal(
          (await all(listDatasets(b.zfs, b.parent))).map(({ name }) => name),
          [liveName(b.parent, OTHER)],
        )
        assert.is((await store.catalogue.read(P))?.statics.owner, null)
        await close(a, P)
        await evict(b, OTHER)
        const { path: there, fellBack } = await onceFreed(() => open(b, P))
        assert.equal(fellBack, [])
        assert.is((await readFile(join(there, 'file'))).length, bytes)
      },
      { fileBytes: 128n * BigInt(MIB) },
    ),
  ))

test('a store without room fails the save, never the user; with room the next save has all of it', () =>
  withPool((world) =>
    withSmallDisk(24 * MIB, async (disk) => {
      const store = await openDirectoryStore(join(disk, 'store'), { init: true })
      try {
        const host = await projectHost(world, store)
        const { path } = await createProjectHere(host, P)
        await writeFile(join(path, 'file'), 'saved')
        await save(host, P)
        const filler = join(disk, 'filler')
        await writeFile(filler, randomBytes(8 * MIB))
        await writeFile(join(path, 'big'), randomBytes(14 * MIB))
        const full = await rejection(save(host, P), 'a save without room')
        assert.is(codeOf(full), 'disk-full', String(full))
        await writeFile(join(path, 'file'), 'goes on')
        assert.is((await readFile(join(path, 'big'))).length, 14 * MIB)
        assert.is(codeOf(await rejection(evict(host, P), 'an evict without a save')), 'disk-full')
        assert.is(await readFile(join(path, 'file'), 'utf8'), 'goes on')
        await rm(filler)
        assert.is((await save(host, P)).kind, 'saved')
        await evict(host, P)
        assert.is(await readFile(join((await open(host, P)).path, 'file'), 'utf8'), 'goes on')
        await evict(host, P)
      } finally {
        await store.close()
      }
    }),
  ))

test('a base that somebody destroys while it is sent: nothing false is committed, and the next save is whole', () =>
  withPool(async (world) => {
    const store = memoryStore()
    const quiet = await projectHost(world, store)
    const { path } = await createProjectHere(quiet, P)
    await writeFile(join(path, 'file'), randomBytes(20 * MIB))
    await save(quiet, P)
    const [base] = await listSnapshots(quiet.zfs, liveName(quiet.parent, P))
    assert.ok(base)
    // Several chunks: the first is put while later ones are still to be sent.
    await writeFile(join(path, 'more'), randomBytes(8 * MIB))
    let destroyed: Promise<boolean> | undefined
    const destroy = async (): Promise<boolean> => {
      await release(quiet.zfs, SAVE_HOLD, base.name)
      return destroySnapshot(quiet.zfs, base.name, base.guid).catch(() => false)
    }
    const blobs = {
      ...store.blobs,
      create: async (...args: Parameters<typeof store.blobs.create>) => {
        const writer = await store.blobs.create(...args)
        const put: typeof writer.put = async (...chunk) => {
          destroyed ??= destroy()
          await destroyed
          return writer.put(...chunk)
        }
        return { put, seal: () => writer.seal(), close: () => writer.close() }
      },
    }
    const saving = save({ ...quiet, store: { ...store, blobs } }, P)
    // A kernel's send keeps what it sends; zfs-fuse lets it go.
    if (quiet.zfs.capabilities.written) await saving
    else {
      assert.is(codeOf(await rejection(saving, 'a save without its base')), 'snapshot-gone')
      assert.ok(await destroyed)
    }
    // Nothing in the pool proves any more that this came from the head: a point beside it, to which one can go.
    const next = await save(quiet, P)
    await evict(quiet, P)
    const again = await rollBack(quiet, P, next.point)
    assert.is((await readFile(join(again.path, 'more'))).length, 8 * MIB)
  }))

test('a pool that was destroyed and made anew is a cache like before', async () => {
  const store = memoryStore()
  let name: string | undefined
  await withPool(async (world) => {
    const host = await projectHost(world, store)
    name = host.host
    const { path } = await createProjectHere(host, P)
    await writeFile(join(path, 'file'), 'saved')
    await save(host, P)
    await writeFile(join(path, 'file'), 'lost with its pool')
  })
  await withPool(async (world) => {
    const host = { ...(await projectHost(world, store)), host: name as never }
    const { residents, unknown } = await reconcile(host)
    assert.equal([residents, unknown], [[], []])
    assert.is(await readFile(join((await open(host, P)).path, 'file'), 'utf8'), 'saved')
  })
})

test.run()
