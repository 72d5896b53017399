import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Engine } from '../../daemon/projects/engine.ts'
import type { EngineParts } from '../../daemon/projects/engine-parts.ts'
import { planUnmounts } from '../../daemon/projects/idle.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { startEngine } from '../support/engine.ts'
import { type FakeZfs, withFakeZfs } from '../support/fake-zfs.ts'

const test = suite('projects: unmounted where nobody uses them')
const never = new AbortController().signal
const P = projectId('p')
const Q = projectId('q')

interface Setting {
  readonly engine: Engine
  readonly world: FakeZfs
  /** Where P is mounted, with one file in it. */
  readonly path: string
  /** What the access layer was told. */
  readonly told: string[]
  readonly mounted: () => Promise<boolean>
}

const withIdle = (
  body: (setting: Setting) => Promise<void>,
  parts: () => Partial<EngineParts> = () => ({}),
) =>
  withFakeZfs(async (world) => {
    const told: string[] = []
    const { unmounting, unmounted, ...others } = parts()
    const engine = await startEngine(world, memoryStore(), join(world.directory, 'state'), {
      residency: { highWatermark: 1, lowWatermark: 1, idleGraceMs: 60_000, unmountIdleAfterMs: 0 },
      unmounting: async (id) => {
        told.push(`hold ${id}`)
        await unmounting?.(id)
      },
      unmounted: async (id) => {
        told.push(`forget ${id}`)
        await unmounted?.(id)
      },
      ...others,
    })
    try {
      const { path } = await engine.create(P)
      await writeFile(join(path, 'file'), 'one')
      const mounted = async () => (await engine.residents()).some(({ id, mounted: is }) => id === P && is)
      await body({ engine, world, path, told, mounted })
    } finally {
      await engine.stop()
    }
  })

test('in use, pinned or used lately they stay mounted; of the others the longest unused goes first', () => {
  const facts = [
    { id: P, inUse: false, pinned: false, idleMs: 50 },
    { id: Q, inUse: false, pinned: false, idleMs: 90 },
    { id: projectId('busy'), inUse: true, pinned: true, idleMs: 900 },
    { id: projectId('late'), inUse: false, pinned: false, idleMs: 49 },
    { id: projectId('kept'), inUse: false, pinned: true, idleMs: 900 },
  ]
  const { unmount, stay } = planUnmounts(facts, 50)
  assert.equal(unmount, [Q, P])
  assert.equal(
    [...stay],
    [
      ['busy', 'in-use'],
      ['late', 'used-lately'],
      ['kept', 'pinned'],
    ],
  )
  assert.equal(planUnmounts(facts, Infinity).unmount, [])
})

test('unused it is saved and unmounted, stays in the pool and owned, and the next touch has all of it', () =>
  withIdle(async ({ engine, told, mounted, path, world }) => {
    const { unmounted, evicted } = await engine.sweeper.sweep(never)
    assert.equal([unmounted, evicted], [[P], []])
    assert.equal(told, ['hold p', 'forget p'])
    assert.not(await mounted())
    assert.is(engine.saves.state(P), undefined)
    const { statics } = await readProject(engine.host.store.catalogue, P)
    assert.is(statics.owner, engine.host.host)
    assert.ok(statics.head !== null)
    await world.calls()
    const { receivedStreams } = await engine.open(P)
    assert.is(receivedStreams, 0)
    assert.is(await readFile(join(path, 'file'), 'utf8'), 'one')
    assert.ok(engine.saves.state(P))
  }))

test('who was in it lately keeps it', () =>
  withIdle(async ({ engine, mounted }) => {
    engine.sweeper.reconfigure({
      highWatermark: 1,
      lowWatermark: 1,
      idleGraceMs: 0,
      unmountIdleAfterMs: 60_000,
    })
    assert.equal([...(await engine.sweeper.sweep(never)).mounted], [[P, 'used-lately']])
    assert.ok(await mounted())
  }))

test('a touch that comes while it is about to be unmounted keeps it, one that comes after mounts it again', async () => {
  for (const when of ['unmounting', 'unmounted'] as const) {
    let engine: Engine | undefined
    let touch: Promise<unknown> | undefined
    await withIdle(
      async (setting) => {
        engine = setting.engine
        const { unmounted } = await engine.sweeper.sweep(never)
        await touch
        assert.equal(unmounted, when === 'unmounting' ? [] : [P], when)
        assert.ok(await setting.mounted(), when)
        assert.ok(engine.saves.state(P), 'it is watched')
        assert.is(await readFile(join(setting.path, 'file'), 'utf8'), 'one')
      },
      () => ({
        [when]: async () => {
          touch ??= engine?.open(P)
        },
      }),
    )
    assert.ok(touch)
  }
})

test('what cannot be saved once it is unmounted is mounted again, and saved later', () =>
  withIdle(async ({ engine, world, path, mounted }) => {
    await engine.save(P)
    await writeFile(join(path, 'file'), 'two')
    await world.faults({
      match: 'zfs unmount',
      action: 'fail',
      delayMs: 0,
      stderr: 'cannot unmount: I/O error',
      exit: 1,
    })
    const { refused, unmounted } = await engine.sweeper.sweep(never)
    assert.equal([unmounted.length, refused.map(({ why }) => why)], [0, ['unmount']])
    assert.ok(await mounted())
    assert.ok(engine.saves.state(P))
    await world.faults()
    assert.equal((await engine.sweeper.sweep(never)).unmounted, [P])
  }))

test.run()
