/** What is made read-only while a host is lost: by record first, tried again, and undone by whoever starts next. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { close } from '../../daemon/projects/close.ts'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { evict } from '../../daemon/projects/evict.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { ReadOnlyWhileLost } from '../../daemon/projects/read-only.ts'
import { value } from '../../native/zfs/get.ts'
import { codeOf, messageOf } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { rejection } from '../contracts/values.ts'
import { type FakeZfs, withFakeZfs } from '../support/fake-zfs.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'
import { projectHost } from '../support/project-host.ts'

const test = suite('projects: read-only while lost')
const [P, Q] = [projectId('p1'), projectId('p2')]
const EVERY_MS = 10_000

interface Setting {
  readonly world: FakeZfs
  readonly host: ProjectHost
  readonly clock: ManualClock
  readonly file: string
  readonly changes: string[]
  readonly now: { lost: boolean }
  /** Another start with the same state directory; the one before has ended. */
  readonly start: () => Promise<ReadOnlyWhileLost>
  /** Until it holds, with the clock going on. */
  readonly until: (what: string, done: () => boolean | Promise<boolean>) => Promise<void>
  readonly isReadOnly: (id: ProjectId) => Promise<boolean>
}

const withHost = (body: (setting: Setting) => Promise<void>): Promise<void> =>
  withFakeZfs(async (world) => {
    const clock = new ManualClock()
    const host = await projectHost(world, memoryStore(), { clock })
    for (const id of [P, Q]) await createProjectHere(host, id)
    const state = join(world.directory, 'state')
    const now = { lost: false }
    const changes: string[] = []
    let stop = new AbortController()
    let running: Promise<void> = Promise.resolve()
    const end = async () => {
      stop.abort()
      await running
    }
    try {
      await body({
        world,
        host,
        clock,
        file: join(state, 'read-only.json'),
        changes,
        now,
        start: async () => {
          await end()
          stop = new AbortController()
          const readOnly = await ReadOnlyWhileLost.open(state, {
            host,
            isLost: () => now.lost,
            onHostLoss: () => 'readonly',
            onChange: (id, isReadOnly) => changes.push(`${id} ${isReadOnly ? 'read-only' : 'writable'}`),
          })
          running = readOnly.run(stop.signal)
          return readOnly
        },
        until: async (what, done) => {
          for (const limit = Date.now() + 20_000; Date.now() < limit; ) {
            if (await done()) return
            await settle()
            if (clock.pendingSleeps > 0) await clock.advance(EVERY_MS)
          }
          assert.unreachable(`${what} has not happened`)
        },
        isReadOnly: async (id) => (await value(world.zfs, liveName(world.parent, id), 'readonly')) === 'on',
      })
    } finally {
      await end()
    }
  })

const recorded = async (file: string): Promise<readonly string[]> =>
  (JSON.parse(await readFile(file, 'utf8')) as { projects: string[] }).projects

test('what cannot be made so is tried again, the others are not kept from it, and why is known', () =>
  withHost(async ({ world, now, start, until, isReadOnly, changes }) => {
    await world.faults({
      match: 'set readonly=on .*p1',
      times: 2,
      action: 'fail',
      stderr: 'cannot set property: out of space',
      exit: 1,
    })
    now.lost = true
    const readOnly = await start()
    await until('the other', () => changes.includes('p2 read-only'))
    await until('the first', () => changes.includes('p1 read-only'))
    assert.ok((await isReadOnly(P)) && (await isReadOnly(Q)))
    assert.is(readOnly.error, undefined)
    assert.is(changes.length, 2)
  }))

test('it is on record before it happens, so that a start after a crash in between undoes it', () =>
  withHost(async ({ world, now, start, until, isReadOnly, file, changes }) => {
    await world.faults({ match: 'set readonly=on', times: 2, action: 'die-after' })
    now.lost = true
    await start()
    await until('the deed', async () => (await isReadOnly(P)) && (await isReadOnly(Q)))
    assert.equal([...(await recorded(file))].sort(), [P, Q])
    now.lost = false
    await start()
    await until('its end', async () => !(await isReadOnly(P)) && !(await isReadOnly(Q)))
    await until('the record', async () => (await recorded(file)).length === 0)
    assert.equal([...changes].filter((line) => line.endsWith('writable')).sort(), [
      'p1 writable',
      'p2 writable',
    ])
  }))

test('where no record can be made nothing is made read-only, for nobody would undo it', () =>
  withHost(async ({ world, now, start, until, isReadOnly, file }) => {
    const readOnly = await start()
    await until('a first look', () => readOnly.error === undefined)
    await mkdir(file, { recursive: true })
    now.lost = true
    readOnly.changed()
    await until('a failure', () => readOnly.error !== undefined)
    assert.match(messageOf(readOnly.error), /EISDIR|directory/)
    assert.not(await isReadOnly(P))
    await rm(file, { recursive: true })
    await until('it works', () => isReadOnly(P))
    await world.calls()
  }))

test('what is mounted a moment later is read-only at the next look; what is unmounted is not asked for', () =>
  withHost(async ({ host, now, start, until, isReadOnly, changes }) => {
    await close(host, Q)
    now.lost = true
    await start()
    await until('the first', () => changes.includes('p1 read-only'))
    assert.not(await isReadOnly(Q))
    await createProjectHere(host, projectId('p3'))
    await until('the late one', () => changes.includes('p3 read-only'))
  }))

test('what left the pool meanwhile is off the record, and what is released is at once', () =>
  withHost(async ({ host, now, start, until, isReadOnly, file, changes }) => {
    now.lost = true
    const readOnly = await start()
    await until('both', () => changes.length === 2)
    await evict(host, P)
    await readOnly.release(Q)
    assert.not(await isReadOnly(Q))
    assert.equal(await recorded(file), [P])
    now.lost = false
    readOnly.changed()
    await until('nothing is left', () => readOnly.all.length === 0)
    assert.equal(await recorded(file), [])
  }))

test('a store that does not say whose a project is keeps nobody from the next loss', () =>
  withHost(async ({ host, now, start, until, changes, isReadOnly }) => {
    now.lost = true
    const readOnly = await start()
    await until('both', () => changes.length === 2)
    const { catalogue } = host.store
    const { read } = catalogue
    let asked = 0
    catalogue.read = (_id, { signal } = {}) => {
      asked++
      return new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
      )
    }
    now.lost = false
    readOnly.changed()
    await until('the question', () => asked === 1)
    await createProjectHere(
      { ...host, store: { ...host.store, catalogue: { ...catalogue, read } } },
      projectId('p3'),
    )
    now.lost = true
    readOnly.changed()
    await until('the next loss', () => changes.includes('p3 read-only'))
    assert.ok(await isReadOnly(P))
    assert.not(changes.some((line) => line.endsWith('writable')))
    assert.is(readOnly.error, undefined)
    Object.assign(catalogue, { read })
    now.lost = false
    readOnly.changed()
    await until('all is writable', () => readOnly.all.length === 0)
  }))

test('where the host is not lost and nothing is read-only it runs no command', () =>
  withHost(async ({ world, clock, start, until }) => {
    await start()
    await until('it sleeps', () => clock.pendingSleeps > 0)
    await world.calls()
    for (let turn = 0; turn < 5; turn++) {
      await clock.advance(EVERY_MS)
      await settle()
    }
    assert.equal(await world.calls(), [])
  }))

test('a record that says nothing is not taken for an empty one', () =>
  withHost(async ({ file, start }) => {
    await mkdir(join(file, '..'), { recursive: true })
    await writeFile(file, '{"projects": [')
    const error = await rejection(start(), 'the start')
    assert.is(codeOf(error), 'read-only-damaged')
    assert.match(messageOf(error), file)
  }))

test.run()
