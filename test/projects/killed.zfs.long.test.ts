/** Processes that work on projects and are killed, again and again: after each restart nothing is lost and nothing is left over. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { undelete } from '../../daemon/projects/destroy.ts'
import type { Engine } from '../../daemon/projects/engine.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { listDatasets } from '../../native/zfs/list.ts'
import { scrub } from '../../pipeline/scrub/scrub.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { compiled } from '../support/compiled.ts'
import { inPlace } from '../support/crash/in-place.ts'
import { Ledger, type ProjectPage } from '../support/crash/ledger.ts'
import type { LifeOrders, Told } from '../support/crash/life.ts'
import { expectedTree, seenTree } from '../support/crash/steps.ts'
import { withDirectoryStore } from '../support/directory-store.ts'
import { startEngine } from '../support/engine.ts'
import { chance, int, type Random, runSeed, seeded } from '../support/random.ts'
import { type RealZfs, withPool } from '../support/zfs-pool.ts'

const test = suite('projects of processes that are killed')
const rounds = Math.ceil(200 * Number(process.env.TIDEPOOL_LONG ?? 0.1))
/** That a life works on; older ones stay as they are and are looked at in the end. */
const AT_WORK = 3
const LIFE_MS = 900
const LIFE = fileURLToPath(new URL('../support/crash/life.ts', import.meta.url))

test(`after ${rounds} kills every project is what was last written, and nothing else is there`, () =>
  withDirectoryStore((store, path) =>
    withPool(async (world) => {
      const seed = runSeed('killed')
      const random = seeded(seed)
      const ledger = new Ledger()
      const state = join(world.directory, 'state')
      const { parent, mounts } = world
      const programs = join(world.directory, 'programs')
      await mkdir(programs)
      const program = await compiled(LIFE, programs)
      let life = startLife(program)
      try {
        for (let round = 1; round <= rounds; round++) {
          const orders: LifeOrders = {
            parent,
            mounts,
            store: path,
            state,
            seed: seed + round,
            branch: round,
            projects: ledger.orders(AT_WORK),
          }
          await liveAndDie(life, orders, ledger, int(random, 0, LIFE_MS))
          life = startLife(program)
          const engine = await startEngine(world, store, state)
          try {
            await asItWasTold(engine, ledger, random, `round ${round}`)
          } finally {
            await engine.stop()
          }
          if (round % 10 === 0) await storeIsWhole(store)
        }
      } finally {
        life.kill('SIGKILL')
      }
      const tried = [...ledger.interrupted].map(([what, count]) => `${what} ${count}`).join(', ')
      process.stderr.write(`killed while doing: ${tried}; ${ledger.pages.size} projects\n`)
      await allFromTheStore(world, store, state, ledger)
    }),
  ))

type LifeProcess = ChildProcessByStdio<Writable, Readable, null>

/** It waits for its orders: its start is no part of a round. Compiled, that takes 0.4 s of a core instead of 1.6. */
function startLife(program: string): LifeProcess {
  return spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
}

/** Resolves once it is dead and all that it told is noted. */
async function liveAndDie(
  child: LifeProcess,
  orders: LifeOrders,
  ledger: Ledger,
  lifeMs: number,
): Promise<void> {
  // Why it cannot be written to is told by its end.
  child.stdin.on('error', () => {}).end(JSON.stringify(orders))
  let failure: string | undefined
  let timer: NodeJS.Timeout | undefined
  const closed = once(child, 'close')
  for await (const line of createInterface({ input: child.stdout })) {
    // The last line may be cut off by the kill: it was not told then, and nothing begun.
    if (!line.endsWith('}')) break
    const told = JSON.parse(line) as Told
    if (told.tells === 'ready') timer = setTimeout(() => child.kill('SIGKILL'), lifeMs)
    else if (told.tells === 'failed') failure = told.why
    else ledger.note(told)
  }
  const [code, signal] = await closed
  clearTimeout(timer)
  assert.is(failure, undefined, `life ${orders.branch} failed: ${failure}`)
  assert.is(signal, 'SIGKILL', `life ${orders.branch} ended with ${code}`)
  ledger.killed()
}

/** Here and in the store, for what was at work or may be half done; half of it is evicted then. */
async function asItWasTold(engine: Engine, ledger: Ledger, random: Random, when: string): Promise<void> {
  await restoredAreWhole(engine, ledger, when)
  await inOrder(engine, ledger, when)
  const atWork = ledger.orders(AT_WORK).map(({ id }) => id)
  for (const page of ledger.pages.values())
    if (atWork.includes(page.id) || page.doing || page.stepping !== undefined) {
      await isWhatItWas(engine, ledger, page, when)
      // One that was killed before the store knew of it never was.
      const isThere = ledger.pages.has(page.id) && !page.destroyed
      if (chance(random, 0.5) && isThere) await engine.evict(page.id)
    }
}

/** What has the name of a restored point is all of that point, mounted or not; what was half received is gone. */
async function restoredAreWhole(engine: Engine, ledger: Ledger, when: string): Promise<void> {
  for (const { id, point } of engine.found.restored) {
    const steps = ledger.pages.get(id)?.points.get(point)
    assert.ok(steps, `${when}: ${point} of ${id} was asked for`)
    const { path } = await engine.restorePoint(id, { guid: point })
    assert.is(await seenTree(path), await expectedTree(steps), `${when}: ${point} of ${id}`)
    assert.ok(await engine.removeRestored(id, point))
  }
}

/** Of what a start finds nothing is unexplained. */
async function inOrder(engine: Engine, ledger: Ledger, when: string): Promise<void> {
  const { aside, renamed, unknown, left, residents } = engine.found
  const about = aside.map(({ id }) => ledger.pages.get(id)?.story.join('\n')).join('\n')
  const none = { aside: [], renamed: [], unknown: [], left: [] }
  assert.equal({ aside, renamed, unknown, left }, none, `${when}\n${about}`)
  for (const { id } of residents) assert.ok(ledger.pages.has(id), `${when}: ${id}`)
  const { host } = engine
  const expected = residents.map(({ id }) => liveName(host.parent, id)).sort()
  const there: string[] = []
  for await (const { name } of listDatasets(host.zfs, host.parent)) there.push(name)
  assert.equal(there.sort(), expected, when)
}

/** One of the states that it may be in, and from now on that one. */
async function isWhatItWas(engine: Engine, ledger: Ledger, page: ProjectPage, when: string): Promise<void> {
  const { catalogue } = engine.host.store
  const project = await catalogue.read(page.id)
  if (!project) {
    assert.is(page.doing?.verb, 'create', `${when}: ${page.id} is not in the store`)
    ledger.pages.delete(page.id)
    return
  }
  const { life } = project.statics
  const mayBe = page.doing?.verb === 'destroy' || page.doing?.verb === 'undelete'
  assert.ok(mayBe || (life === 'destroyed') === page.destroyed, `${when}: ${page.id} is ${life}`)
  // Its steps can be looked at when it is live again; until then they are what they were.
  if (life === 'destroyed') {
    page.destroyed = true
    page.doing = undefined
    return
  }
  const path = inPlace(await engine.open(page.id))
  const seen = await seenTree(path)
  const possible = ledger.possible(page)
  for (const steps of possible)
    if ((await expectedTree(steps)) === seen) {
      ledger.settle(page, steps, false)
      return
    }
  const wanted = await expectedTree(possible[0] ?? [])
  assert.is(seen, wanted, `${when}: ${page.id}, ${JSON.stringify(page.doing)}, ${possible.length} possible`)
}

/** Every byte that was committed. */
async function storeIsWhole(store: Store): Promise<void> {
  for await (const { kind, message } of scrub(store, { depth: 'deep' }))
    assert.not.ok(/damaged|missing|mismatch|unreadable|unchecked/.test(kind), `${kind}: ${message}`)
}

/** With nothing left in the pool, and what was destroyed had back. */
async function allFromTheStore(world: RealZfs, store: Store, state: string, ledger: Ledger): Promise<void> {
  await storeIsWhole(store)
  const engine = await startEngine(world, store, state)
  try {
    for (const { id } of engine.found.residents) await engine.evict(id)
    for await (const { name } of listDatasets(world.zfs, world.parent))
      assert.unreachable(`${name} is left in the pool`)
    for (const page of ledger.pages.values()) {
      if (page.destroyed) await undelete(engine.host, page.id)
      page.destroyed = false
      await isWhatItWas(engine, ledger, page, 'in the end')
      await engine.evict(page.id)
    }
  } finally {
    await engine.stop()
  }
}

test.run()
