/** What becomes of what is mounted while its host has lost its place in the store, by `onHostLoss`. */
import { open as openFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { close } from '../../daemon/projects/close.ts'
import type { Engine } from '../../daemon/projects/engine.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { open } from '../../daemon/projects/open.ts'
import { DEFAULT_RESIDENCY } from '../../daemon/projects/residency.ts'
import { save } from '../../daemon/projects/save.ts'
import type { Tidings } from '../../daemon/projects/tidings.ts'
import { properties as propertiesOf, value } from '../../native/zfs/get.ts'
import { errnoOf, StoreUnavailableError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { markDead } from '../../pipeline/hosts/take.ts'
import type { Catalogue } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { startEngine } from '../support/engine.ts'
import { type PoolWorld, projectHost, TEST_SETTINGS } from '../support/project-host.ts'
import { until } from '../support/within.ts'
import type { WithWorld } from './projects.ts'

const P = projectId('p1')

/** Every call of it is refused while `isAway` says so. */
function awayWhile(catalogue: Catalogue, isAway: () => boolean): Catalogue {
  return new Proxy(catalogue, {
    get(object, key, receiver) {
      const member: unknown = Reflect.get(object, key, receiver)
      if (typeof member !== 'function' || !isAway()) return member
      return () => {
        const error = new StoreUnavailableError(`${String(key)}: nobody answers`)
        const lists = ['projects', 'hosts', 'writing', 'logged'].includes(String(key))
        if (!lists) return Promise.reject(error)
        return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) }
      }
    },
  })
}

interface Setting {
  readonly engine: () => Engine
  readonly path: string
  readonly told: Tidings[]
  /** Whether this host can reach the store. */
  readonly reach: { store: boolean }
  readonly isReadOnly: () => Promise<boolean>
  /** Resolves once the host may not act. */
  readonly lose: () => Promise<void>
  readonly comeBack: () => Promise<void>
  readonly start: () => Promise<void>
  /** Another host, which reaches the store, takes the project and writes `text` to it. */
  readonly taken: (text: string) => Promise<{ readonly release: () => Promise<void> }>
  readonly settings: (onHostLoss: 'keep' | 'readonly') => void
}

const errnoOfWrite = (path: string, flags: string): Promise<string | undefined> =>
  openFile(path, flags)
    .then(async (file) => {
      try {
        await file.write('more')
        return undefined
      } finally {
        await file.close()
      }
    })
    .catch(errnoOf)

export function hostLossContract(name: string, withWorld: WithWorld, { isReal }: { isReal: boolean }): void {
  const test = suite(`a host is lost, on ${name}`)

  const withMounted = (
    onHostLoss: 'keep' | 'readonly',
    body: (setting: Setting, world: PoolWorld) => Promise<void>,
  ): Promise<void> =>
    withWorld((world) =>
      withWorld(async (other) => {
        const store = memoryStore()
        const reach = { store: true }
        const told: Tidings[] = []
        const catalogue = awayWhile(store.catalogue, () => !reach.store)
        const begin = () =>
          startEngine(world, { ...store, catalogue }, join(world.mounts, 'state'), {
            settings: { ...TEST_SETTINGS, onHostLoss },
            saves: { intervalMs: 200 },
            leaveTakenAfterMs: 0,
            membership: { heartbeat: { intervalMs: 50, giveUpAfterMs: 200 } },
            onTidings: (tidings) => void told.push(tidings),
          })
        let engine = await begin()
        const dataset = liveName(world.parent, P)
        try {
          const { path } = await engine.create(P)
          await body(
            {
              engine: () => engine,
              path,
              told,
              reach,
              isReadOnly: async () => {
                const now = (await propertiesOf(world.zfs, dataset, ['readonly']))?.get('readonly')
                // What zfs-fuse shows where it is set and the mount is not.
                return now?.value === 'on' || now?.source === 'temporary'
              },
              lose: async () => {
                reach.store = false
                await until('the loss', () => engine.membership.state.kind === 'lost')
              },
              comeBack: async () => {
                reach.store = true
                await until('the return', () => engine.membership.state.kind === 'live')
              },
              start: async () => {
                engine = await begin()
              },
              taken: async (text) => {
                const b = await projectHost(other, store, { name: 'b' })
                const row = await store.catalogue.readHost(engine.host.host)
                assert.ok(row)
                await markDead(store.catalogue, row)
                await writeFile(join((await open(b, P)).path, 'file'), text)
                await save(b, P)
                return { release: async () => void (await close(b, P)) }
              },
              settings: (wanted) =>
                engine.reconfigure({
                  settings: { ...TEST_SETTINGS, onHostLoss: wanted },
                  residency: DEFAULT_RESIDENCY,
                  saves: { intervalMs: 200, atOnce: 2 },
                }),
            },
            world,
          )
        } finally {
          reach.store = true
          await engine.stop()
        }
      }),
    )

  test('keep: its users write on, and what they wrote is saved when it is back', () =>
    withMounted('keep', async ({ engine, path, told, lose, comeBack, isReadOnly }) => {
      await lose()
      await writeFile(join(path, 'file'), 'written meanwhile')
      assert.not(await isReadOnly())
      assert.equal(engine().readOnly.all, [])
      await comeBack()
      assert.is((await engine().save(P)).as, 'head')
      assert.not(told.some(({ kind }) => kind === 'read-only'))
    }))

  test('readonly: nobody writes until it is back, nothing is lost or unmounted, and then all goes on', () =>
    withMounted('readonly', async ({ engine, path, told, lose, comeBack, isReadOnly }) => {
      await writeFile(join(path, 'file'), 'not saved')
      const writing = await openFile(join(path, 'log'), 'a')
      try {
        await writing.write('one')
        await lose()
        await until('it is read-only', () => told.some(({ kind }) => kind === 'read-only'))
        assert.ok(await isReadOnly())
        assert.is(engine().readOnly.all.length, 1)
        assert.is(await readFile(join(path, 'file'), 'utf8'), 'not saved')
        if (isReal) assert.is(await errnoOfWrite(join(path, 'new'), 'w'), 'EROFS')
        // Where files that are open still take it, that is said.
        const refused = await writing.write('two').then(() => undefined, errnoOf)
        if (isReal) assert.is(refused, engine().readOnly.all[0]?.complete ? 'EROFS' : undefined)
      } finally {
        await writing.close()
      }
      if (isReal) {
        await until('nobody can write', () => engine().readOnly.all[0]?.complete === true)
        assert.is(await errnoOfWrite(join(path, 'file'), 'a'), 'EROFS')
      }
      const log = await readFile(join(path, 'log'), 'utf8')
      assert.match(log, /^one/)
      await comeBack()
      await until('it is writable', () => engine().readOnly.all.length === 0)
      assert.not(await isReadOnly())
      await writeFile(join(path, 'new'), 'again')
      assert.is((await engine().save(P)).as, 'head')
      assert.is(await readFile(join(path, 'log'), 'utf8'), log)
      assert.equal(
        told.map(({ kind }) => kind),
        ['read-only', 'writable'],
      )
      await engine().close(P)
    }))

  test('taken meanwhile, it stays read-only for who is still in it; later it is opened here, writable', () =>
    withMounted('readonly', async ({ engine, path, lose, comeBack, taken, isReadOnly }) => {
      await writeFile(join(path, 'file'), 'saved')
      await engine().save(P)
      await writeFile(join(path, 'file'), 'only here')
      const reading = await openFile(join(path, 'file'), 'r')
      let other: Awaited<ReturnType<typeof taken>>
      try {
        await lose()
        await until('it is read-only', isReadOnly)
        other = await taken('of b')
        await comeBack()
        await until('who has it is known', () => engine().diverged.get(P) !== undefined)
        if (isReal) {
          assert.is((await reading.readFile('utf8')).toString(), 'only here')
          assert.ok(await isReadOnly())
          assert.is(engine().readOnly.all.length, 1)
        }
      } finally {
        await reading.close()
      }
      await until('it is out of the way', () => engine().diverged.all.length === 0)
      await until('nothing is read-only any more', () => engine().readOnly.all.length === 0)
      const { aside } = await engine().inPool()
      for (const { name } of aside) assert.is(await value(engine().host.zfs, name, 'readonly'), 'off')
      await other.release()
      const opened = await engine().open(P)
      assert.is(await readFile(join(opened.path, 'file'), 'utf8'), 'of b')
      assert.not(await isReadOnly())
      await writeFile(join(opened.path, 'file'), 'of a again')
      assert.is((await engine().save(P)).as, 'head')
    }))

  test('a start gives back what an earlier one made read-only and could not', () =>
    withMounted('readonly', async ({ engine, path, reach, lose, start, isReadOnly }) => {
      await lose()
      await until('it is read-only', isReadOnly)
      await until('it is told', () => engine().readOnly.all.length === 1)
      await engine().stop()
      assert.ok(await isReadOnly())
      reach.store = true
      await start()
      await until('it is writable', () => engine().readOnly.all.length === 0)
      assert.not(await isReadOnly())
      await writeFile(join(path, 'file'), 'again')
      assert.is((await engine().save(P)).as, 'head')
    }))

  test('what was read-only before by somebody’s wish is left alone, in the end too', () =>
    withMounted('readonly', async ({ engine, lose, comeBack, told, isReadOnly }) => {
      await engine().setProperties(P, { readonly: 'on' })
      await lose()
      await new Promise((go) => setTimeout(go, 300))
      assert.equal(engine().readOnly.all, [])
      await comeBack()
      await new Promise((go) => setTimeout(go, 300))
      assert.ok(await isReadOnly())
      assert.not(told.some(({ kind }) => kind === 'read-only' || kind === 'writable'))
    }))

  test('what the configuration says takes effect at once, also while the store is away', () =>
    withMounted('keep', async ({ lose, settings, isReadOnly, path }) => {
      await lose()
      settings('readonly')
      await until('it is read-only', isReadOnly)
      settings('keep')
      await until('it is writable', async () => !(await isReadOnly()))
      await until(
        'it takes what is written',
        async () => (await errnoOfWrite(join(path, 'x'), 'w')) === undefined,
      )
    }))

  test.run()
}
