/** What `read` and `apply` promise while nobody else is there. */
import * as assert from 'uvu/assert'
import { OutcomeUnknownError } from '../../pipeline/base/errors.ts'
import { guid, newHostId, newWriteId, type ProjectId } from '../../pipeline/base/ids.ts'
import type { Project, Statics, WriteState } from '../../pipeline/graph/state.ts'
import {
  applyTransaction,
  type StaticsCondition,
  type Transaction,
} from '../../pipeline/graph/transaction.ts'
import type { Catalogue } from '../../pipeline/stores/contract.ts'
import { pick, runSeed, seeded } from '../support/random.ts'
import type { Promised } from './catalogue.ts'
import { randomTransaction } from './random-project.ts'
import {
  aManifest,
  aProject,
  aRow,
  aStatics,
  change,
  committed,
  creation,
  fullStatics,
  GREAT_GUID,
  newProjectId,
  same,
} from './values.ts'

const RANDOM_TRANSACTIONS = 150

async function created(catalogue: Catalogue, statics: Statics = aStatics()): Promise<ProjectId> {
  const id = newProjectId()
  assert.is(await catalogue.apply(creation(id, statics)), true)
  return id
}

export function projectContract(promised: Promised): void {
  promised('a project that was never made reads as undefined', async (catalogue) => {
    assert.is(await catalogue.read(newProjectId()), undefined)
  })

  promised('a project reads back as it was made, with every value and with none', async (catalogue) => {
    for (const statics of [fullStatics(), aStatics()]) {
      const id = await created(catalogue, statics)
      same(await catalogue.read(id), aProject(id, statics))
    }
  })

  promised('a project is made once', async (catalogue) => {
    const id = await created(catalogue)
    assert.is(await catalogue.apply(creation(id, fullStatics())), false)
    assert.is(
      await catalogue.apply(creation(id, fullStatics(), [{ kind: 'insert', row: aRow() }])),
      false,
      'with a row that is new',
    )
    same(await catalogue.read(id), aProject(id, aStatics()))
  })

  promised('a project is made with rows, or not at all', async (catalogue) => {
    const id = newProjectId()
    const row = aRow()
    const impossible = [
      { kind: 'update', writeId: newWriteId(), if: 'writing', set: { state: 'aborted' } },
      { kind: 'remove', writeId: newWriteId(), if: 'aborted' },
    ] as const
    for (const other of impossible)
      assert.is(await catalogue.apply(creation(id, aStatics(), [{ kind: 'insert', row }, other])), false)
    assert.is(await catalogue.read(id), undefined)
    assert.is(await catalogue.apply(creation(id, aStatics(), [{ kind: 'insert', row }])), true)
    same(await catalogue.read(id), aProject(id, aStatics(), [row]))
  })

  promised('every value can be set, and set back to null or to nothing', async (catalogue) => {
    const id = await created(catalogue)
    const full = { ...fullStatics(), epoch: 1n }
    assert.is(await catalogue.apply(change(id, { epoch: 1n }, full)), true)
    same(await catalogue.read(id), aProject(id, full))
    for (const set of [
      { owner: null },
      { head: null, kept: {} },
      { properties: {} },
      { quotaBytes: null, uid: null, gid: null },
    ])
      assert.is(await catalogue.apply(change(id, { epoch: 1n }, set)), true)
    same(
      await catalogue.read(id),
      aProject(id, {
        ...aStatics(),
        life: full.life,
        rev: full.rev,
        born: full.born,
        lifeAtMs: full.lifeAtMs,
      }),
    )
  })

  promised('maps are replaced whole', async (catalogue) => {
    const id = await created(
      catalogue,
      aStatics({ kept: { '1': 'side', '2': 'pinned' }, properties: { a: '1', b: '2' } }),
    )
    assert.is(
      await catalogue.apply(change(id, { epoch: 1n }, { kept: { '3': 'side' }, properties: { b: '3' } })),
      true,
    )
    const { kept, properties } = (await catalogue.read(id))!.statics
    same([kept, properties], [{ '3': 'side' }, { b: '3' }])
  })

  promised('each condition on the statics holds or stops the whole transaction', async (catalogue) => {
    const now = aStatics({ epoch: 2n ** 53n + 1n, rev: 7n, life: 'destroyed' })
    const id = await created(catalogue, now)
    const right: Required<StaticsCondition> = { epoch: now.epoch, rev: now.rev, life: now.life }
    const wrong: Required<StaticsCondition> = { epoch: 2n ** 53n, rev: 8n, life: 'live' }
    for (let which = 1; which < 8; which++) {
      const keys = (['epoch', 'rev', 'life'] as const).filter((_, bit) => which & (1 << bit))
      const condition = Object.fromEntries(keys.map((key) => [key, right[key]]))
      assert.is(await catalogue.apply(change(id, condition, { gid: which })), true, `${keys}`)
      same(await catalogue.read(id), aProject(id, { ...now, gid: which }))
      for (const key of keys) {
        const broken = { ...condition, [key]: wrong[key] }
        const row = aRow()
        assert.is(await catalogue.apply(change(id, broken, { gid: null }, [{ kind: 'insert', row }])), false)
        assert.is(await catalogue.apply(change(id, broken, {})), false, `${keys} with a wrong ${key}`)
      }
      same(await catalogue.read(id), aProject(id, { ...now, gid: which }))
    }
  })

  promised('no condition holds for a project that is not there, and none makes it', async (catalogue) => {
    const id = newProjectId()
    const insert = { kind: 'insert', row: aRow() } as const
    const update = {
      kind: 'update',
      writeId: newWriteId(),
      if: 'writing',
      set: { state: 'aborted' },
    } as const
    for (const condition of [{}, { epoch: 0n }, { epoch: 1n, rev: 1n }, { life: 'live' as const }])
      for (const rows of [[], [insert], [update], [insert, update]]) {
        assert.is(await catalogue.apply(change(id, condition, {}, rows)), false)
        assert.is(await catalogue.apply(change(id, condition, { gid: 1 }, rows)), false)
      }
    assert.is(await catalogue.read(id), undefined)
    assert.is(await catalogue.apply(creation(id, aStatics())), true)
    same(await catalogue.read(id), aProject(id, aStatics()), 'what failed before left no trace')
  })

  promised('a row reads back as it was written, with every value and with none', async (catalogue) => {
    const id = await created(catalogue)
    const rows = [
      aRow(),
      committed(aRow({ from: guid(2n ** 63n + 1n), side: true, seqHigh: 2 ** 31 - 1, chunkBytes: 65_536 })),
      {
        ...committed(aRow()),
        manifest: aManifest({
          treeDigest: 'ü',
          stream: { ...aManifest().stream, features: [], records: {} },
        }),
      },
    ]
    for (const row of rows)
      assert.is(
        await catalogue.apply(change(id, { epoch: 1n, life: 'live' }, {}, [{ kind: 'insert', row }])),
        true,
      )
    same(await catalogue.read(id), aProject(id, aStatics(), rows))
  })

  promised('a row is inserted once, whatever state the first is in', async (catalogue) => {
    const id = await created(catalogue)
    for (const state of ['writing', 'committed', 'superseded', 'deleting', 'deleted', 'aborted'] as const) {
      const row = aRow({ state })
      assert.is(await catalogue.apply(change(id, { epoch: 1n }, {}, [{ kind: 'insert', row }])), true)
      const again = { ...aRow(), writeId: row.writeId }
      for (const condition of [{}, { epoch: 1n }])
        assert.is(
          await catalogue.apply(change(id, condition, { uid: 1 }, [{ kind: 'insert', row: again }])),
          false,
        )
      same((await catalogue.read(id))?.rows.get(row.writeId), row)
    }
    assert.is((await catalogue.read(id))?.statics.uid, null)
  })

  promised('a row changes only from the state it must be in', async (catalogue) => {
    const id = await created(catalogue)
    const row = aRow()
    await catalogue.apply(change(id, { epoch: 1n }, {}, [{ kind: 'insert', row }]))
    const wrong: WriteState = 'committed'
    const { manifest, committedAtMs } = committed(row)
    const commit = { state: 'committed', changedAtMs: 5, committedAtMs, manifest } as const
    for (const condition of [{}, { epoch: 1n }]) {
      assert.is(
        await catalogue.apply(
          change(id, condition, {}, [
            { kind: 'update', writeId: row.writeId, if: wrong, set: { seqHigh: 9 } },
          ]),
        ),
        false,
      )
      assert.is(
        await catalogue.apply(
          change(id, condition, {}, [{ kind: 'remove', writeId: row.writeId, if: wrong }]),
        ),
        false,
      )
    }
    const update = { kind: 'update', writeId: row.writeId, if: 'writing' } as const
    same((await catalogue.read(id))?.rows.get(row.writeId), row)
    assert.is(await catalogue.apply(change(id, {}, {}, [{ ...update, set: { seqHigh: 4096 } }])), true)
    assert.is(await catalogue.apply(change(id, {}, {}, [{ ...update, set: {} }])), true, 'nothing to set')
    assert.is(
      await catalogue.apply(change(id, { epoch: 1n, rev: 1n }, { rev: 2n }, [{ ...update, set: commit }])),
      true,
    )
    assert.is(
      await catalogue.apply(change(id, { epoch: 1n, rev: 2n }, {}, [{ ...update, set: commit }])),
      false,
    )
    same((await catalogue.read(id))?.rows.get(row.writeId), { ...row, seqHigh: 4096, ...commit })
    const back = { ...update, if: 'committed', set: { committedAtMs: null, manifest: null } } as const
    assert.is(await catalogue.apply(change(id, {}, {}, [back])), true)
    same((await catalogue.read(id))?.rows.get(row.writeId)?.manifest, null)
    assert.is(
      await catalogue.apply(change(id, {}, {}, [{ kind: 'remove', writeId: row.writeId, if: 'committed' }])),
      true,
    )
    same(await catalogue.read(id), aProject(id, aStatics({ rev: 2n })))
  })

  promised('a row that was removed is nowhere, and its id is free', async (catalogue) => {
    const id = await created(catalogue)
    const row = committed(aRow())
    const remove = { kind: 'remove', writeId: row.writeId, if: 'committed' } as const
    const update = { kind: 'update', writeId: row.writeId, if: 'committed', set: { seqHigh: 1 } } as const
    await catalogue.apply(change(id, {}, {}, [{ kind: 'insert', row }]))
    assert.is(await catalogue.apply(change(id, {}, {}, [remove])), true)
    assert.is(await catalogue.apply(change(id, {}, {}, [remove])), false)
    assert.is(await catalogue.apply(change(id, {}, {}, [update])), false)
    const next = aRow({ writeId: row.writeId })
    assert.is(await catalogue.apply(change(id, {}, {}, [{ kind: 'insert', row: next }])), true)
    same(await catalogue.read(id), aProject(id, aStatics(), [next]), 'nothing of the first shows through')
  })

  promised('one row that does not hold stops all others and the statics', async (catalogue) => {
    const id = await created(catalogue)
    const rows = Array.from({ length: 5 }, () => aRow())
    const extra = aRow()
    await catalogue.apply(creation(id, aStatics()))
    await catalogue.apply(
      change(
        id,
        {},
        {},
        rows.map((row) => ({ kind: 'insert', row }) as const),
      ),
    )
    for (let bad = 0; bad < rows.length; bad++)
      for (const condition of [{}, { epoch: 1n, rev: 1n }])
        assert.is(
          await catalogue.apply(
            change(id, condition, { rev: 2n, head: GREAT_GUID }, [
              { kind: 'insert', row: extra },
              ...rows.map(({ writeId }, n) => ({
                kind: 'update' as const,
                writeId,
                if: n === bad ? ('aborted' as const) : ('writing' as const),
                set: { state: 'committed' as const },
              })),
            ]),
          ),
          false,
        )
    same(await catalogue.read(id), aProject(id, aStatics(), rows))
  })

  promised('a transaction of {} and no rows says whether the project is there', async (catalogue) => {
    assert.is(await catalogue.apply(change(await created(catalogue), {}, {})), true)
  })

  promised('one transaction holds 300 rows', async (catalogue) => {
    const id = await created(catalogue)
    const rows = Array.from({ length: 300 }, (_, n) => committed(aRow({ seqHigh: n, from: GREAT_GUID })))
    assert.is(
      await catalogue.apply(
        change(
          id,
          { epoch: 1n },
          {},
          rows.map((row) => ({ kind: 'insert', row }) as const),
        ),
      ),
      true,
    )
    same(await catalogue.read(id), aProject(id, aStatics(), rows))
    const supersede = { state: 'superseded', changedAtMs: 77 } as const
    assert.is(
      await catalogue.apply(
        change(
          id,
          { epoch: 1n, rev: 1n },
          { rev: 2n },
          rows.map(({ writeId }) => ({ kind: 'update', writeId, if: 'committed', set: supersede }) as const),
        ),
      ),
      true,
    )
    same(
      await catalogue.read(id),
      aProject(
        id,
        aStatics({ rev: 2n }),
        rows.map((row) => ({ ...row, ...supersede })),
      ),
    )
    assert.is(
      await catalogue.apply(
        change(
          id,
          {},
          {},
          rows.map(({ writeId }) => ({ kind: 'remove', writeId, if: 'superseded' }) as const),
        ),
      ),
      true,
    )
    same(await catalogue.read(id), aProject(id, aStatics({ rev: 2n })))
  })

  promised('projects do not see each other', async (catalogue) => {
    const [one, two] = [await created(catalogue), await created(catalogue)]
    const row = aRow()
    await catalogue.apply(
      change(one, { epoch: 1n }, { head: GREAT_GUID, owner: newHostId() }, [{ kind: 'insert', row }]),
    )
    same(await catalogue.read(two), aProject(two, aStatics()))
    assert.is(
      await catalogue.apply(change(two, { epoch: 1n }, {}, [{ kind: 'insert', row }])),
      true,
      'the same row id',
    )
  })

  promised('random transactions do exactly what applyTransaction says', (catalogue) =>
    randomTransactionsAgree(catalogue, RANDOM_TRANSACTIONS),
  )
}

/** Carries out random transactions in the store and in the pure function, and compares after each. */
export async function randomTransactionsAgree(catalogue: Catalogue, count: number): Promise<void> {
  const random = seeded(runSeed('random transactions'))
  const projects = new Map<ProjectId, Project | undefined>()
  for (let n = 0; n < 3; n++) projects.set(newProjectId(), undefined)
  let happened = 0
  for (let n = 0; n < count; n++) {
    // Now and then another one begins: what is read grows with each row.
    if (n % 50 === 49) {
      projects.delete(pick(random, [...projects.keys()]))
      projects.set(newProjectId(), undefined)
    }
    const id = pick(random, [...projects.keys()])
    const before = projects.get(id)
    const transaction = randomTransaction(random, id, before)
    const after = applyTransaction(before, transaction)
    const applied = await settled(catalogue, transaction)
    if (applied !== undefined) assert.is(applied, after !== null, `transaction ${n}`)
    if (after) {
      projects.set(id, after)
      happened++
    }
    same(await catalogue.read(id), after ?? before, `the project after transaction ${n}`)
  }
  assert.ok(happened > count / 5, `only ${happened} transactions happened`)
}

/** Undefined where the store did not say; a read after it shows whether it happened. */
async function settled(catalogue: Catalogue, transaction: Transaction): Promise<boolean | undefined> {
  try {
    return await catalogue.apply(transaction)
  } catch (error) {
    if (error instanceof OutcomeUnknownError) return undefined
    throw error
  }
}
