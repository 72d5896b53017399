/** What becomes of a project that another host has taken, on the host that it was taken from: told, kept, and out of the way in the end. */
import { open as openFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Engine } from '../../daemon/projects/engine.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { open } from '../../daemon/projects/open.ts'
import type { Tidings } from '../../daemon/projects/tidings.ts'
import { exists } from '../../native/zfs/get.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { markDead } from '../../pipeline/hosts/take.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { startEngine } from '../support/engine.ts'
import { projectHost } from '../support/project-host.ts'
import { until } from '../support/within.ts'
import type { WithWorld } from './projects.ts'

const P = projectId('p1')

interface Setting {
  readonly engine: Engine
  readonly path: string
  readonly told: Tidings[]
  /** The engine is stopped, and another one has its place. */
  readonly again: (leaveTakenAfterMs: number) => Promise<Engine>
  /** Resolves with the host that has taken the project, which wrote `text` to it where that is given. */
  readonly takenBy: (text?: string) => Promise<string>
}

export function divergedContract(name: string, withWorld: WithWorld, { refusesBusy = true } = {}): void {
  const test = suite(`diverged projects on ${name}`)

  const withTaken = (leaveTakenAfterMs: number, body: (setting: Setting) => Promise<void>): Promise<void> =>
    withWorld((world) =>
      withWorld(async (other) => {
        const store = memoryStore()
        const told: Tidings[] = []
        const start = (afterMs: number) =>
          startEngine(world, store, join(world.mounts, 'state'), {
            saves: { intervalMs: 200 },
            leaveTakenAfterMs: afterMs,
            membership: { heartbeat: { intervalMs: 100 } },
            onTidings: (tidings) => void told.push(tidings),
          })
        let engine = await start(leaveTakenAfterMs)
        try {
          const { path } = await engine.create(P)
          await writeFile(join(path, 'file'), 'saved')
          await engine.save(P)
          await body({
            engine,
            path,
            told,
            again: async (afterMs) => {
              await engine.stop()
              engine = await start(afterMs)
              return engine
            },
            takenBy: async (text) => {
              const b = await projectHost(other, store, { name: 'b' })
              const row = await store.catalogue.readHost(engine.host.host)
              assert.ok(row)
              await markDead(store.catalogue, row)
              const opened = await open(b, P)
              if (text !== undefined) await writeFile(join(opened.path, 'file'), text)
              return b.host
            },
          })
        } finally {
          await engine.stop()
        }
      }),
    )

  const kinds = (told: readonly Tidings[], kind: Tidings['kind']) => told.filter((one) => one.kind === kind)

  test('its users go on, it is told once who has it and what they wrote; a start knows it again, and sets it aside', () =>
    withTaken(3_600_000, async ({ engine, path, told, takenBy, again }) => {
      const b = await takenBy()
      await writeFile(join(path, 'file'), 'only here')
      await until('a side point', () => engine.diverged.get(P) !== undefined)
      const [one] = engine.diverged.all
      assert.is(one?.takenBy?.host, b)
      assert.match(one?.takenBy?.name ?? '', '-b')
      await writeFile(join(path, 'file'), 'and more')
      await until('a later one', () => engine.diverged.get(P)?.point !== one?.point)
      assert.is(kinds(told, 'diverged').length, 1)
      assert.is(await readFile(join(path, 'file'), 'utf8'), 'and more')
      const next = await again(0)
      await until('it is set aside', async () => kinds(told, 'set-aside').length > 0)
      const { aside, residents } = await next.inPool()
      assert.equal(residents, [])
      assert.is(aside.length, 1)
      assert.match(aside[0]?.why ?? '', b)
      assert.match(aside[0]?.why ?? '', /what was written here since is point \d+/)
      assert.equal(next.diverged.all, [])
      assert.is(next.saves.state(P), undefined)
    }))

  test('what is clean is unmounted, and stays as a cache', () =>
    withTaken(0, async ({ engine, told, takenBy }) => {
      const b = await takenBy('of b')
      await until('it is unmounted', async () => {
        const { residents } = await engine.inPool()
        return residents.every(({ mounted }) => !mounted)
      })
      assert.is(kinds(told, 'diverged').length, 1)
      const [one] = kinds(told, 'diverged')
      assert.is(one?.kind === 'diverged' && one.takenBy, b)
      await until('it is forgotten', () => engine.saves.state(P) === undefined)
      assert.ok(await exists(engine.host.zfs, liveName(engine.host.parent, P)))
      assert.equal((await engine.inPool()).aside, [])
      assert.equal(engine.diverged.all, [])
    }))

  if (refusesBusy)
    test('as long as somebody is in it it stays where it is', () =>
      withTaken(0, async ({ engine, path, told, takenBy }) => {
        const file = await openFile(join(path, 'file'), 'r+')
        try {
          await takenBy()
          await file.write('held')
          await until('a side point', () => engine.diverged.get(P) !== undefined)
          const { point } = engine.diverged.get(P) ?? {}
          await file.write(' on')
          await until('a later one', () => engine.diverged.get(P)?.point !== point)
          assert.is(await readFile(join(path, 'file'), 'utf8'), 'held on')
          assert.equal(kinds(told, 'set-aside'), [])
        } finally {
          await file.close()
        }
        await until('it is set aside', () => kinds(told, 'set-aside').length > 0)
      }))

  test.run()
}
