import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { errnoOfFailure } from '../../daemon/access/errno-of.ts'
import { openProjects } from '../../daemon/access/open-projects.ts'
import type { Engine } from '../../daemon/projects/engine.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { type memoryStore, memoryStore as newStore } from '../../pipeline/stores/memory.ts'
import { startEngine } from '../support/engine.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

const test = suite('access: open projects')

const P = projectId('p1')

/** Two hosts that share a store. */
const withTwo = (body: (a: Engine, b: Engine) => Promise<void>) =>
  withFakeZfs((one) =>
    withFakeZfs(async (two) => {
      const store = newStore()
      const a = await startEngine(one, store, join(one.mounts, 'state'), { name: 'a' })
      const b = await startEngine(two, store, join(two.mounts, 'state'), { name: 'b' })
      try {
        await body(a, b)
      } finally {
        await a.stop()
        await b.stop()
      }
    }),
  )

const withOne = (body: (a: Engine, store: ReturnType<typeof memoryStore>) => Promise<void>) =>
  withFakeZfs(async (one) => {
    const store = newStore()
    const a = await startEngine(one, store, join(one.mounts, 'state'))
    try {
      await body(a, store)
    } finally {
      await a.stop()
    }
  })

async function errnoOf(promise: Promise<string>): Promise<string> {
  try {
    return await promise
  } catch (error) {
    return errnoOfFailure(error)
  }
}

test('who touches a project learns by the errno what keeps it from him', () =>
  withTwo(async (a, b) => {
    const [there, here] = [openProjects(a), openProjects(b)]
    assert.is(await errnoOf(here.open(P)), 'ENOENT', 'nobody has made it')
    const { path } = await a.create(P)
    assert.is(await errnoOf(there.open(P)), path)
    assert.is(await errnoOf(here.open(P)), 'ENOENT', 'the failure is remembered')
    here.forget(P)
    assert.is(await errnoOf(here.open(P)), 'EBUSY', 'it is open on the other host')
    await a.close(P)
    assert.is(await errnoOf(here.open(P, { explicit: true })), join(b.host.mountRoot, P))
    assert.is(await errnoOf(there.open(P)), 'EBUSY')
    there.forget(P)
    await b.destroy(P)
    assert.is(await errnoOf(there.open(P)), 'ENOENT', 'it was destroyed')
    await a.stop()
    there.forget(P)
    assert.is(await errnoOf(there.open(P)), 'EAGAIN', 'this host has left the store')
    await there.stop()
    assert.is(await errnoOf(there.open(projectId('p2'))), 'EAGAIN')
    await here.stop()
  }))

test('what the store cannot tell is EIO, and is tried again after a moment', () =>
  withOne(async (a, store) => {
    const opens = openProjects(a)
    await a.create(P)
    await a.close(P)
    const { read } = store.catalogue
    store.catalogue.read = async () => {
      throw new Error('no answer')
    }
    assert.is(await errnoOf(opens.open(P)), 'EIO')
    store.catalogue.read = read
    assert.is(opens.state(P)?.kind, 'failed')
    assert.is(await errnoOf(opens.open(P, { explicit: true })), join(a.host.mountRoot, P))
    await opens.stop()
  }))

test('many who touch it are one open of the engine', () =>
  withOne(async (a) => {
    await a.create(P)
    await a.close(P)
    let begun = 0
    const counting = {
      host: a.host,
      open: ((...args) => {
        begun++
        return a.open(...args)
      }) as Engine['open'],
    }
    const opens = openProjects(counting)
    const paths = await Promise.all(Array.from({ length: 20 }, () => opens.open(P)))
    assert.equal(new Set(paths), new Set([join(a.host.mountRoot, P)]))
    assert.is(begun, 1)
    await opens.stop()
  }))

test.run()
