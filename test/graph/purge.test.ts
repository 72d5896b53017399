import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { purgeProject } from '../../pipeline/graph/purge.ts'
import { rulesWithout } from '../../pipeline/graph/rules.ts'
import { destroyProject, recreateProject, undeleteProject } from '../../pipeline/graph/transitions/life.ts'
import { beginWrite } from '../../pipeline/graph/transitions/writes.ts'
import { faultyStore } from '../support/faulty-store.ts'
import { World } from '../support/scrub-world.ts'

const test = suite('purge')

/** A write in each state that a project can be destroyed with. */
async function destroyed(): Promise<{ world: World; id: ProjectId }> {
  const world = await World.make()
  const id = await world.project('p')
  await world.commit(id, { to: 1 })
  await world.commit(id, { from: 1, to: 2 })
  await world.supersede(id, await world.commit(id, { from: 1, to: 2, side: true }))
  await world.begin(id, { from: 2, to: 3 })
  await world.abort(id, await world.begin(id, { from: 2, to: 4 }))
  await world.apply(destroyProject(world.read(id), 0))
  return { world, id }
}

function assertPurged({ world, id }: { world: World; id: ProjectId }, said = ''): void {
  const { statics, rows } = world.read(id)
  assert.is(statics.life, 'purged', said)
  assert.is(statics.head, null, said)
  assert.ok(
    [...rows.values()].every(({ state }) => state === 'deleted'),
    said,
  )
  assert.is(world.state.blobs.size, 0, said)
}

test('everything goes, and the project can be created again', async () => {
  const setting = await destroyed()
  const { world, id } = setting
  const epoch = world.read(id).statics.epoch
  const after = await purgeProject(world.store, id)
  assert.is(after.statics.life, 'purged')
  assertPurged(setting)
  await world.apply(recreateProject(after, { owner: world.host.host, nowMs: 0 }))
  assert.ok(world.read(id).statics.born > epoch)
})

test('an intent from before comes too late', async () => {
  const { world, id } = await destroyed()
  await world.apply(undeleteProject(world.read(id), 0))
  const intent = beginWrite(world.read(id), world.aRow({ from: 2, to: 9 }))
  await world.apply(destroyProject(world.read(id), 0))
  await purgeProject(world.store, id)
  assert.not(await world.store.catalogue.apply(intent))
})

test('a project that lives, or lives again, is left alone', async () => {
  const { world, id } = await destroyed()
  const { catalogue } = world.store
  const store = {
    ...world.store,
    catalogue: {
      ...catalogue,
      // Had back in the very moment before the purge begins.
      apply: async (transaction: Parameters<typeof catalogue.apply>[0]) => {
        if (transaction.what.startsWith('purge')) await world.apply(undeleteProject(world.read(id), 0))
        return catalogue.apply(transaction)
      },
    },
  }
  assert.is((await purgeProject(store, id)).statics.life, 'live')
  assert.is(world.state.blobs.size, 5)
  assert.is((await purgeProject(world.store, id)).statics.life, 'live')
})

test('one that dies at any call is ended by the next, and no chunk goes before its row is marked', async () => {
  for (const last of ['refused', 'answer-lost', 'lost'] as const)
    for (let dieAt = 0, died = true; died; dieAt++) {
      const setting = await destroyed()
      const { world, id } = setting
      const { blobs } = world.store
      const guarded = {
        ...world.store,
        blobs: {
          ...blobs,
          remove: async (write: Parameters<typeof blobs.remove>[0]) => {
            assert.ok(['deleting', 'aborted'].includes(world.stateOf(id, write) ?? ''))
            await blobs.remove(write)
          },
        },
      }
      died = false
      const dying = faultyStore(guarded, (_call, count) => {
        if (count < dieAt) return undefined
        died = true
        return count === dieAt ? last : 'refused'
      })
      const error = await purgeProject(dying, id).catch((e: unknown) => e)
      if (died)
        assert.ok(['store-unavailable', 'outcome-unknown'].includes(codeOf(error) ?? ''), String(error))
      await purgeProject(guarded, id)
      assertPurged(setting, `died at call ${dieAt} (${last})`)
    }
})

test('two at once end it once', async () => {
  const setting = await destroyed()
  const { world, id } = setting
  const both = await Promise.all([purgeProject(world.store, id), purgeProject(world.store, id)])
  for (const { statics } of both) assert.is(statics.life, 'purged')
  assertPurged(setting)
})

test('without the rule purgeMarks chunks go while their rows still promise them', async () => {
  const { world, id } = await destroyed()
  const { blobs } = world.store
  const states = new Set<string | undefined>()
  const watching = {
    ...world.store,
    blobs: {
      ...blobs,
      remove: async (write: Parameters<typeof blobs.remove>[0]) => {
        states.add(world.stateOf(id, write))
        await blobs.remove(write)
      },
    },
  }
  await purgeProject(watching, id, { rules: rulesWithout('purgeMarks') })
  assert.ok(states.has('committed'))
})

test.run()
