/** Moves of projects: what the other host finds, and when nothing is moved at all. */
import { open as openFile, readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { destroyHere } from '../../daemon/projects/destroy.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import { move } from '../../daemon/projects/move.ts'
import { open } from '../../daemon/projects/open.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { newHostId, newSessionId, projectId } from '../../pipeline/base/ids.ts'
import { endHost, registerHost } from '../../pipeline/hosts/session.ts'
import { DeathWatch, markDead } from '../../pipeline/hosts/take.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { projectHost } from '../support/project-host.ts'
import type { WithWorld } from './projects.ts'
import { rejection } from './values.ts'

type MemoryStore = ReturnType<typeof memoryStore>

const P = projectId('p1')
const nameOf = (name: string): string => `${hostname()}-${name}`

const read = (path: string): Promise<string> => readFile(join(path, 'file'), 'utf8')
const write = (path: string, text: string): Promise<void> => writeFile(join(path, 'file'), text)

/** `refusesBusy`: an unmount of what is in use fails, as a kernel's does and the fake's does not. */
export function moveContract(name: string, withWorld: WithWorld, { refusesBusy = true } = {}): void {
  const test = suite(`moves on ${name}`)

  const withTwo = (
    body: (world: {
      a: ProjectHost
      b: ProjectHost
      store: MemoryStore
      path: string
      /** The move is refused with that code, and nothing has happened. */
      refused: (to: string, code: string, from?: ProjectHost) => Promise<void>
    }) => Promise<void>,
  ): Promise<void> =>
    withWorld((one) =>
      withWorld(async (two) => {
        const store = memoryStore()
        const a = await projectHost(one, store, { name: 'a' })
        const b = await projectHost(two, store, { name: 'b' })
        const { path } = await createProjectHere(a, P)
        await write(path, 'one')
        const refused = async (to: string, code: string, from = a): Promise<void> => {
          const before = await store.catalogue.read(P)
          const error = await rejection(move(from, P, to))
          assert.is(codeOf(error), code)
          assert.ok(error instanceof TidepoolError && error.hint)
          assert.equal(await store.catalogue.read(P), before)
        }
        await body({ a, b, store, path, refused })
      }),
    )

  test('moved, it is saved, nobody’s, and the other host opens it at once', () =>
    withTwo(async ({ a, b }) => {
      const moved = await move(a, P, nameOf('b'))
      assert.equal(moved.to, { host: b.host, name: nameOf('b') })
      assert.is(moved.saved?.point, moved.project.statics.head)
      assert.is(moved.project.statics.owner, null)
      assert.ok(moved.tookMs > 0)
      const there = await open(b, P)
      assert.is(await read(there.path), 'one')
      await write(there.path, 'two')
      // And back, by id; what the pool still has of it is built on.
      await move(b, P, a.host)
      const again = await open(a, P)
      assert.is(await read(again.path), 'two')
      assert.equal(again.setAside, [])
    }))

  test('to a host that nobody knows, that has ended, is dead or silent, or to itself, nothing is moved', () =>
    withTwo(async ({ a, b, store, path, refused }) => {
      const { catalogue } = store
      await refused('nobody', 'host-unknown')
      await refused(a.host, 'host-is-here')
      const clock = new ManualClock()
      const watching = { ...a, deathWatch: new DeathWatch(clock, 1000) }
      const row = (await catalogue.readHost(b.host))!
      watching.deathWatch.stoodStillMs(row)
      await clock.advance(1000)
      await refused(b.host, 'host-not-live', watching)
      await markDead(catalogue, row)
      await refused(nameOf('b'), 'host-not-live')
      const ended = { host: newHostId(), session: newSessionId(), name: 'ended', process: null }
      await registerHost(catalogue, ended)
      await endHost(catalogue, ended)
      await refused('ended', 'host-not-live')
      await write(path, 'goes on')
    }))

  test('of two hosts of one name neither is guessed, unless one alone lives', () =>
    withTwo(async ({ a, b, store, refused }) => {
      const twin = { host: newHostId(), session: newSessionId(), name: nameOf('b'), process: null }
      await registerHost(store.catalogue, twin)
      await refused(nameOf('b'), 'host-ambiguous')
      await endHost(store.catalogue, twin)
      assert.is((await move(a, P, nameOf('b'))).to.host, b.host)
    }))

  test('only its owner moves it, and only while it lives', () =>
    withTwo(async ({ a, b, refused }) => {
      await refused(a.host, 'owned-elsewhere', b)
      await destroyHere(a, P)
      await refused(b.host, 'project-gone')
    }))

  if (refusesBusy)
    test('in use it is saved and stays', () =>
      withTwo(async ({ a, b, store, path }) => {
        const file = await openFile(join(path, 'file'), 'r+')
        try {
          const busy = await rejection<TidepoolError>(move(a, P, b.host), 'a move')
          assert.is(busy.code, 'dataset-busy')
          assert.match(busy.hint ?? '', `tidepool close ${P} --kill`)
          const { statics } = (await store.catalogue.read(P))!
          assert.is(statics.owner, a.host)
          assert.ok(statics.head !== null)
          await file.write('two')
        } finally {
          await file.close()
        }
        await move(a, P, b.host)
        assert.is(await read((await open(b, P)).path), 'two')
      }))

  test.run()
}
