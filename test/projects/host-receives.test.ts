/** A host says what it can receive, and is told what of its store it can't. */
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { receivable } from '../../daemon/doctor/checks/store.ts'
import { examine } from '../../daemon/doctor/examine.ts'
import { Receivable } from '../../daemon/projects/receivable.ts'
import { receivesOf } from '../../pipeline/hosts/receives.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { wellWorld } from '../support/doctor-world.ts'
import { startEngine } from '../support/engine.ts'
import { type FakeZfs, withFakeZfs } from '../support/fake-zfs.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'
import { projectHost } from '../support/project-host.ts'

const test = suite('projects: what a host can receive')

const withoutZstd = (world: FakeZfs) =>
  world.state(({ pools }) => {
    for (const pool of Object.values(pools)) pool.lacks = ['zstd_compress']
  })

test('it stands in the store from the start on, and what the store allows beyond it is told once', () =>
  withFakeZfs(async (world) => {
    await withoutZstd(world)
    const store = memoryStore()
    await store.catalogue.setReceivable(['lz4', 'zstd'])
    const told: (readonly string[])[] = []
    const engine = await startEngine(world, store, join(world.directory, 'state'), {
      onReceivable: (lacks) => told.push(lacks),
    })
    try {
      const signal = AbortSignal.timeout(20_000)
      while (told.length === 0) {
        signal.throwIfAborted()
        await settle()
      }
      assert.equal(told, [['zstd']])
      assert.equal(engine.receivable.lacks, ['zstd'])
      const said = await receivesOf(store.catalogue, engine.host.host)
      assert.ok(said?.includes('lz4') && said.includes('sa-spill'))
      assert.not(said?.includes('zstd'))
      await engine.receivable.look()
      assert.is(told.length, 1)
    } finally {
      await engine.stop()
    }
  }))

test('a change of the store or of the pool is seen at the next look; what was said is not written again', () =>
  withFakeZfs(async (world) => {
    const store = memoryStore()
    let written = 0
    const catalogue: typeof store.catalogue = {
      ...store.catalogue,
      writeNote: (...args) => {
        written++
        return store.catalogue.writeNote(...args)
      },
    }
    const host = await projectHost(world, { ...store, catalogue })
    const told: (readonly string[])[] = []
    const can = new Receivable(host, (lacks) => told.push(lacks))
    await can.look()
    await can.look()
    assert.is(written, 1)
    assert.equal(told, [])
    await withoutZstd(world)
    await catalogue.setReceivable(['zstd', 'longname'])
    await can.look()
    await catalogue.setReceivable(null)
    await can.look()
    assert.is(written, 2)
    assert.equal(told, [['zstd', 'longname'], []])
  }))

test('where the store is away the look is done again later, and ends with its signal', () =>
  withFakeZfs(async (world) => {
    const clock = new ManualClock()
    const store = memoryStore()
    let asked = 0
    const info = async () => {
      asked++
      throw new Error('away')
    }
    const host = await projectHost(world, { ...store, catalogue: { ...store.catalogue, info } }, { clock })
    const can = new Receivable(host)
    const stop = new AbortController()
    const running = can.run(stop.signal)
    const limit = AbortSignal.timeout(20_000)
    const until = async (times: number) => {
      while (asked < times || clock.pendingSleeps === 0) {
        limit.throwIfAborted()
        await settle()
      }
    }
    await until(1)
    await clock.advance(5 * 60_000)
    await until(2)
    assert.equal(can.lacks, [])
    stop.abort()
    await running
    assert.is(clock.pendingSleeps, 0)
  }))

test('doctor says so too, with what mends it', () =>
  withFakeZfs(async (world) => {
    await withoutZstd(world)
    const store = memoryStore()
    const look = async (parts: Parameters<typeof wellWorld>[0] = {}) => {
      const well = wellWorld({ zfs: async () => world.zfs, store: async () => store, ...parts })
      const [line] = await examine(well, [receivable], { signal: AbortSignal.timeout(20_000) })
      return line
    }
    assert.is((await look())?.verdict, 'ok')
    await store.catalogue.setReceivable(['lz4'])
    assert.is((await look())?.verdict, 'ok')
    await store.catalogue.setReceivable(['lz4', 'zstd'])
    const line = await look()
    assert.is(line?.verdict, 'fail')
    assert.match(line?.found ?? '', /can't receive streams that use zstd/)
    assert.is(line?.mend, 'zpool upgrade tank')
    assert.is((await look({ zfs: () => Promise.reject(new Error('none')) }))?.verdict, 'skipped')
  }))

test.run()
