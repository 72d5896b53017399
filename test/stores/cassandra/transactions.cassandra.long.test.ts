/** Transactions on a real node, many of them: one after another against the pure function, and against each other. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OutcomeUnknownError } from '../../../pipeline/base/errors.ts'
import type { WriteId } from '../../../pipeline/base/ids.ts'
import { openCassandraStore } from '../../../pipeline/stores/cassandra/index.ts'
import { randomTransactionsAgree } from '../../contracts/catalogue-projects.ts'
import { aRow, aStatics, change, creation, newProjectId } from '../../contracts/values.ts'
import { cassandraTestStore } from '../../support/cassandra-store.ts'

const test = suite('cassandra: transactions')
const share = Number(process.env.TIDEPOOL_LONG ?? '0.1')
const WRITERS = 6

test('many random transactions do exactly what applyTransaction says', async () => {
  const { store, cleanup } = await cassandraTestStore()
  try {
    await randomTransactionsAgree(store.catalogue, Math.ceil(3000 * share))
  } finally {
    await cleanup()
  }
})

test('writers that read, decide and write lose no update of each other, whatever they are told', async () => {
  const { store, options, cleanup } = await cassandraTestStore()
  const stores = await Promise.all(Array.from({ length: WRITERS }, () => openCassandraStore(options)))
  try {
    const id = newProjectId()
    await store.catalogue.apply(creation(id, aStatics()))
    const told = { yes: new Set<WriteId>(), no: new Set<WriteId>(), nothing: new Set<WriteId>() }
    const rounds = Math.ceil(100 * share)
    await Promise.all(
      stores.map(async ({ catalogue }) => {
        for (let round = 0; round < rounds; round++) {
          const now = await catalogue.read(id)
          const { rev } = now!.statics
          const row = aRow({ state: 'committed' })
          try {
            const happened = await catalogue.apply(
              change(id, { epoch: 1n, rev }, { rev: rev + 1n }, [{ kind: 'insert', row }]),
            )
            told[happened ? 'yes' : 'no'].add(row.writeId)
          } catch (error) {
            if (!(error instanceof OutcomeUnknownError)) throw error
            told.nothing.add(row.writeId)
          }
        }
      }),
    )
    const end = await store.catalogue.read(id)
    const there = new Set(end?.rows.keys())
    assert.is(end?.statics.rev, 1n + BigInt(there.size), 'each rev has its row')
    for (const writeId of told.yes) assert.ok(there.has(writeId), 'who was told yes is there')
    for (const writeId of told.no) assert.not(there.has(writeId), 'who was told no is not')
    for (const writeId of there) assert.ok(told.yes.has(writeId) || told.nothing.has(writeId))
    assert.ok(told.yes.size > 0)
  } finally {
    await Promise.all(stores.map(({ close }) => close()))
    await cleanup()
  }
})

test.run()
