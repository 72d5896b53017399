/** Properties of a project: in the store and in every pool that has it, also where they change, or go, after it was made. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { changeProperties } from '../../daemon/projects/change-properties.ts'
import { changeQuota } from '../../daemon/projects/change-quota.ts'
import { close } from '../../daemon/projects/close.ts'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { evict } from '../../daemon/projects/evict.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { open } from '../../daemon/projects/open.ts'
import { PROPERTIES } from '../../daemon/projects/properties.ts'
import { save } from '../../daemon/projects/save.ts'
import { properties } from '../../native/zfs/get.ts'
import { unmount } from '../../native/zfs/mount.ts'
import { codeOf, type TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { touchProject } from '../../pipeline/graph/transitions/owner.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { rejection } from '../contracts/values.ts'
import { type FakeZfs, withFakeZfs } from '../support/fake-zfs.ts'
import { projectHost } from '../support/project-host.ts'

const P = projectId('p1')

/** What is set on its dataset itself, as ZFS tells it. */
async function setHere({ zfs, parent }: ProjectHost): Promise<Record<string, string>> {
  const found = (await properties(zfs, liveName(parent, P), PROPERTIES)) ?? new Map()
  return Object.fromEntries(
    [...found].flatMap(([name, { value, source }]) => (source === 'local' ? [[name, value]] : [])),
  )
}

const inStore = async (store: Store) => (await store.catalogue.read(P))?.statics.properties

for (const flavour of ['openzfs', 'zfs-fuse'] as const) {
  const test = suite(`projects: properties, ${flavour}`)
  const world = (body: (fake: FakeZfs, host: ProjectHost) => Promise<void>): Promise<void> =>
    withFakeZfs(async (fake) => body(fake, await projectHost(fake, memoryStore())), { flavour })

  test('those that are named change, the others stay, and null is as the pool has it', () =>
    world(async (_fake, host) => {
      await createProjectHere(host, P, { properties: { compression: 'gzip', recordsize: '16K' } })
      assert.equal(await setHere(host), { compression: 'gzip', recordsize: '16384' })
      await changeProperties(host, P, { recordsize: '32K', readonly: 'on' })
      assert.equal(await inStore(host.store), { compression: 'gzip', recordsize: '32K', readonly: 'on' })
      assert.equal(await setHere(host), { compression: 'gzip', recordsize: '32768', readonly: 'on' })
      await changeProperties(host, P, { recordsize: null, readonly: null })
      assert.equal(await inStore(host.store), { compression: 'gzip' })
      assert.equal(await setHere(host), { compression: 'gzip' })
    }))

  test('another host that opens it has them, and the first one drops what it no longer has', () =>
    world(async (fake, a) => {
      await withFakeZfs(
        async (other) => {
          const b = await projectHost(other, a.store, { name: 'b' })
          await createProjectHere(a, P, { properties: { recordsize: '16K' } })
          await save(a, P)
          await close(a, P)
          await open(b, P)
          assert.equal(await setHere(b), { recordsize: '16384' })
          assert.is(codeOf(await rejection(changeProperties(a, P, { recordsize: '8K' }))), 'owned-elsewhere')
          await changeProperties(b, P, { recordsize: null, compression: 'gzip-9' })
          await close(b, P)
          await fake.calls()
          await open(a, P)
          assert.equal(await setHere(a), { compression: 'gzip-9' })
          await close(a, P)
          await evict(a, P)
          await open(a, P)
          assert.equal(await setHere(a), { compression: 'gzip-9' })
        },
        { flavour },
      )
    }))

  test('of a closed one they change, as its quota does, and it stays as free as it was', () =>
    world(async (fake, a) => {
      await withFakeZfs(
        async (other) => {
          const b = await projectHost(other, a.store, { name: 'b' })
          const owner = async () => (await a.store.catalogue.read(P))?.statics.owner
          await createProjectHere(a, P)
          await save(a, P)
          await close(a, P)
          for (const host of [a, b]) {
            await changeProperties(host, P, { recordsize: host === a ? '16K' : '32K' })
            assert.is(await owner(), null)
            assert.is((await changeQuota(host, P, 8n * 2n ** 20n)).statics.owner, null)
          }
          await fake.faults({
            match: '^zfs set recordsize',
            action: 'fail',
            stderr: 'out of space',
            times: 1,
          })
          const refused = await rejection<TidepoolError>(changeProperties(a, P, { recordsize: '8K' }))
          assert.is(refused.code, 'out-of-space')
          assert.match(refused.message, /are in the store, and not in force here: /)
          assert.is(await owner(), null)
          await open(b, P)
          assert.equal(await setHere(b), { recordsize: '8192' })
          assert.is((await close(b, P)).project.statics.owner, null)
          await open(a, P)
          assert.equal(await setHere(a), { recordsize: '8192' })
          await changeProperties(a, P, { recordsize: null })
          assert.is(await owner(), a.host)
        },
        { flavour },
      )
    }))

  test('what a change did not bring to the pool its next open does, and no command where nothing differs', () =>
    world(async (fake, host) => {
      await createProjectHere(host, P)
      await fake.faults({ match: '^zfs set recordsize', action: 'fail', stderr: 'out of space', times: 1 })
      await rejection(changeProperties(host, P, { recordsize: '8K' }))
      assert.equal(await inStore(host.store), { recordsize: '8K' })
      assert.equal(await setHere(host), {})
      await unmount(fake.zfs, liveName(host.parent, P))
      await open(host, P)
      assert.equal(await setHere(host), { recordsize: '8192' })
      await fake.calls()
      await changeProperties(host, P, { recordsize: '8K' })
      assert.equal(
        (await fake.calls()).filter((line) => !line.startsWith('zfs get')),
        [],
      )
    }))

  test('bad names and values are refused before anything happens', () =>
    world(async (fake, host) => {
      await createProjectHere(host, P)
      await fake.calls()
      const bad: Record<string, string | null>[] = [
        { mountpoint: '/etc' },
        { mountpoint: null },
        { toString: 'on' },
        { recordsize: '1M' },
        { recordsize: '16K', compression: 'zstd-99' },
        { compression: '' },
        { readonly: 'maybe' },
      ]
      for (const changes of bad) {
        const refused = await rejection<TidepoolError>(
          Promise.resolve().then(() => changeProperties(host, P, changes)),
          JSON.stringify(changes),
        )
        assert.is(refused.code, 'property-not-allowed', JSON.stringify(changes))
        assert.match(refused.hint ?? '', /compression, recordsize, readonly/)
      }
      assert.equal(await fake.calls(), [])
      assert.equal(await inStore(host.store), {})
      const missing = changeProperties(host, projectId('nope'), { readonly: 'on' })
      assert.is(codeOf(await rejection(missing)), 'project-unknown')
    }))

  test('where something comes in between it is planned again', () =>
    world(async (_fake, host) => {
      await createProjectHere(host, P, { properties: { recordsize: '16K' } })
      const { catalogue } = host.store
      let came = 0
      const crossed: ProjectHost = {
        ...host,
        store: {
          ...host.store,
          catalogue: Object.assign(Object.create(catalogue), {
            apply: async (transaction: Parameters<typeof catalogue.apply>[0]) => {
              const now = await catalogue.read(P)
              if (came++ === 0 && now) await catalogue.apply(touchProject(now))
              return catalogue.apply(transaction)
            },
          }),
        },
      }
      await changeProperties(crossed, P, { compression: 'gzip' })
      assert.ok(came >= 2)
      assert.equal(await inStore(host.store), { recordsize: '16K', compression: 'gzip' })
    }))

  test.run()
}
