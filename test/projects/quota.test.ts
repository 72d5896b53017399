/** Past the limit of its snapshots a project gets no more points; all else that is done with it goes on. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { changeQuota } from '../../daemon/projects/change-quota.ts'
import { close } from '../../daemon/projects/close.ts'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { evict } from '../../daemon/projects/evict.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { open } from '../../daemon/projects/open.ts'
import { save } from '../../daemon/projects/save.ts'
import { snapshotProject } from '../../daemon/projects/snapshot.ts'
import { listSnapshots } from '../../native/zfs/list.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { newHostId, projectId } from '../../pipeline/base/ids.ts'
import { MIB } from '../../pipeline/base/units.ts'
import { takeOver } from '../../pipeline/graph/transitions/owner.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { rejection } from '../contracts/values.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { projectHost } from '../support/project-host.ts'

const P = projectId('p1')
const QUOTA = 8n * BigInt(MIB)

for (const flavour of ['openzfs', 'zfs-fuse'] as const) {
  const test = suite(`projects: quota, ${flavour}`)

  /** One that is saved, and whose snapshots take more than they may. */
  const withFull = (body: (host: ProjectHost, path: string) => Promise<void>): Promise<void> =>
    withFakeZfs(
      async (fake) => {
        const host = await projectHost(fake, memoryStore())
        const { path } = await createProjectHere(host, P, { quotaBytes: QUOTA })
        await writeFile(join(path, 'file'), 'saved')
        await save(host, P)
        await fake.state(({ datasets }) => {
          const dataset = datasets[liveName(fake.parent, P)]
          if (dataset) dataset.snapshotBytes = 3 * Number(QUOTA) + 1
        })
        await body(host, path)
      },
      { flavour },
    )

  const snapshots = async (host: ProjectHost) =>
    (await listSnapshots(host.zfs, liveName(host.parent, P))).map(({ name }) => name)

  test('what is new is refused, here and in the store, and the refusal leaves nothing behind', () =>
    withFull(async (host, path) => {
      const before = await snapshots(host)
      await writeFile(join(path, 'file'), 'new')
      for (const act of [
        () => save(host, P),
        () => snapshotProject(host, P),
        () => snapshotProject(host, P, { local: true }),
        () => close(host, P),
        () => evict(host, P),
      ]) {
        assert.is(codeOf(await rejection(act())), 'snapshots-over-quota')
        assert.equal(await snapshots(host), before)
      }
      await changeQuota(host, P, 2n * QUOTA)
      assert.is((await save(host, P)).kind, 'saved')
    }))

  test('one that the store refused is not told as set', () =>
    withFull(async (host) => {
      const { catalogue } = host.store
      const crossed: ProjectHost = {
        ...host,
        store: {
          ...host.store,
          catalogue: Object.assign(Object.create(catalogue), {
            apply: async (transaction: Parameters<typeof catalogue.apply>[0]) => {
              const now = await catalogue.read(P)
              if (now && transaction.what.startsWith('quota'))
                await catalogue.apply(takeOver(now, newHostId()))
              return catalogue.apply(transaction)
            },
          }),
        },
      }
      assert.is(codeOf(await rejection(changeQuota(crossed, P, 2n * QUOTA))), 'project-busy')
      assert.is((await catalogue.read(P))?.statics.quotaBytes, QUOTA)
    }))

  test('with nothing new it is saved already, and closes and leaves like any other', () =>
    withFull(async (host) => {
      assert.is((await save(host, P)).kind, 'unchanged')
      await close(host, P)
      await open(host, P)
      await evict(host, P)
    }))

  test.run()
}
