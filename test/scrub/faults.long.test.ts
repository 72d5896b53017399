/**
 * A store with a write in every state is scrubbed while the scrub dies at every call in turn, while the store fails
 * at random, answers late or twice, and while another scrub and a save run beside it: chunks of what is committed
 * or may still be read never go, and in the end the store holds exactly what it should.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf, OutcomeUnknownError } from '../../pipeline/base/errors.ts'
import type { ProjectId, WriteId } from '../../pipeline/base/ids.ts'
import { commitAttempt } from '../../pipeline/graph/commit.ts'
import type { Transaction } from '../../pipeline/graph/transaction.ts'
import { beginWrite } from '../../pipeline/graph/transitions/writes.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { type Fault, faultyStore } from '../support/faulty-store.ts'
import { chance, int, pick, type Random, runSeed, seeded } from '../support/random.ts'
import { EXPECTED, guarded, messyWorld, scrubbed, toTheEnd } from '../support/scrub-messy.ts'
import { DAY_MS, HOUR_MS, type World } from '../support/scrub-world.ts'

const test = suite('scrub: faults')
const share = Number(process.env.TIDEPOOL_LONG ?? '0.1')
const seed = runSeed('scrub: faults')
/** Every call at a share of 1; else every so many, from another one each time. */
const STRIDE = Math.max(1, Math.round(1 / share))
const FIRST = seed % STRIDE
const ROUNDS = Math.ceil(200 * share)

test('a scrub that dies at any call leaves what the next one finishes', async () => {
  // The second run is the one that removes orphans: it dies too, at its own calls.
  for (const runBefore of [false, true])
    for (const last of ['refused', 'answer-lost'] as const)
      for (let dieAt = FIRST, died = true; died; dieAt += STRIDE) {
        const messy = await messyWorld()
        if (runBefore) {
          await scrubbed(messy, guarded(messy))
          await messy.world.clock.advance(2 * HOUR_MS)
        }
        died = false
        const dying = faultyStore(guarded(messy), (_call, count) => {
          if (count < dieAt) return undefined
          died = true
          return count === dieAt ? last : 'refused'
        })
        await scrubbed(messy, dying)
        assert.equal(await toTheEnd(messy), EXPECTED, `died at call ${dieAt} (${last})`)
      }
})

test('a call that fails once spoils nothing but what it was for', async () => {
  for (const fault of ['refused', 'answer-lost', 'lost'] as const)
    for (let failAt = FIRST, failed = true; failed; failAt += STRIDE) {
      const messy = await messyWorld()
      failed = false
      const failing = faultyStore(guarded(messy), (_call, count) => {
        if (count !== failAt) return undefined
        failed = true
        return fault
      })
      await scrubbed(messy, failing)
      assert.equal(await toTheEnd(messy), EXPECTED, `call ${failAt} was ${fault}`)
    }
})

/** Each call takes its time, so that whoever else runs on this clock comes between. */
function slow(store: Store, world: World, random: Random): Store {
  const pause = (): Promise<void> => world.clock.sleep(int(random, 0, 5))
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, key, receiver) {
        const member: unknown = Reflect.get(object, key, receiver)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          if (!['projects', 'hosts', 'writing', 'missing', 'stored'].includes(String(key)))
            return pause().then(() => Reflect.apply(member, object, args))
          return (async function* () {
            for await (const item of Reflect.apply(member, object, args)) {
              yield item
              await pause()
            }
          })()
        }
      },
    })
  return { ...store, blobs: wrap(store.blobs), catalogue: wrap(store.catalogue) }
}

/** Transactions whose answer is lost and which happen much later, if they still can. */
function late(store: Store, random: Random): Store {
  const queue: Transaction[] = []
  const { catalogue } = store
  return {
    ...store,
    catalogue: {
      ...catalogue,
      async apply(transaction, options) {
        if (queue.length > 0 && chance(random, 0.2)) await catalogue.apply(pick(random, queue))
        if (chance(random, 0.1)) {
          queue.push(transaction)
          throw new OutcomeUnknownError(transaction.what)
        }
        return catalogue.apply(transaction, options)
      },
    },
  }
}

/** Saves into `p` again and again; what it was told is committed. */
async function saving(world: World, store: Store, random: Random): Promise<WriteId[]> {
  const id = [...world.state.projects.keys()][0] as ProjectId
  const committed: WriteId[] = []
  for (let n = 0; n < 4; n++) {
    const planned = world.read(id)
    const from = Number(planned.statics.head)
    const row = world.aRow({ from, to: 100 + n, side: chance(random, 0.3) })
    try {
      await store.catalogue.noteWriting(row.host, { project: id, row })
      if (!(await store.catalogue.apply(beginWrite(planned, row)))) continue
      const manifest = await world.putChunks(id, row)
      await world.clock.sleep(int(random, 0, 200))
      await commitAttempt(store.catalogue, { writeId: row.writeId, manifest, planned })
      committed.push(row.writeId)
    } catch (error) {
      assert.ok(
        ['commit-refused', 'outcome-unknown', 'store-unavailable'].includes(codeOf(error) ?? ''),
        String(error),
      )
    }
  }
  return committed
}

test('two scrubs and a save at once, each on a store that fails: nothing that counts is lost', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const random = seeded(seed + round)
    const messy = await messyWorld()
    const { world } = messy
    const faults: Fault[] = ['refused', 'answer-lost', 'lost']
    const bad = (): Store =>
      slow(
        faultyStore(late(guarded(messy), random), () =>
          chance(random, 0.03) ? pick(random, faults) : undefined,
        ),
        world,
        random,
      )
    // Some end writes of the living too, which an operator may order at any time.
    const more = { retention: {}, ...(chance(random, 0.5) && { staleAfterMs: 0 }) }
    let committed: WriteId[] = []
    for (let n = 0; n < 3; n++) {
      const [saved] = await world.clock.run(
        Promise.all([
          saving(
            world,
            slow(
              faultyStore(guarded(messy), () => (chance(random, 0.02) ? 'answer-lost' : undefined)),
              world,
              random,
            ),
            random,
          ),
          scrubbed(messy, bad(), more),
          scrubbed(messy, bad(), more),
        ]),
      )
      committed = [...committed, ...saved]
      await world.clock.advance(int(random, 0, 2 * HOUR_MS))
    }
    const said = `round ${round}, TIDEPOOL_SEED=${seed}`
    await world.store.catalogue.writeNote('scrub/damaged', undefined)
    for (const pauseMs of [2 * HOUR_MS, 2 * DAY_MS, 2 * HOUR_MS, 0]) {
      const { summary } = await scrubbed(messy, guarded(messy), { staleAfterMs: 0 })
      assert.is(summary.damagedWrites, 0, said)
      await world.clock.advance(pauseMs)
    }
    assert.equal(messy.violations, [], said)
    for (const { rows } of world.state.projects.values())
      for (const row of rows.values()) {
        const whole = row.state === 'committed' || row.state === 'superseded'
        assert.is(world.chunksOf(row), whole ? row.seqHigh : 0, `${said}: ${row.state}`)
        assert.not(['writing', 'aborted', 'deleting'].includes(row.state), said)
      }
    for (const writeId of world.state.blobs.keys())
      assert.ok(
        [...world.state.projects.values()].some(({ rows }) => rows.has(writeId)),
        `${said}: orphan`,
      )
    const rows = world.read([...world.state.projects.keys()][0] as ProjectId).rows
    for (const writeId of committed)
      assert.is.not(rows.get(writeId)?.committedAtMs, null, `${said}: commit lost`)
  }
})

test.run()
