import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../../pipeline/base/errors.ts'
import { hostStatement, projectStatements } from '../../../pipeline/stores/cassandra/batch.ts'
import { aHost, aRow, aStatics, change, creation, newProjectId, same } from '../../contracts/values.ts'

const test = suite('cassandra: batch')
const id = newProjectId()
const row = aRow()
const update = { kind: 'update', writeId: row.writeId, if: 'writing', set: { state: 'aborted' } } as const

test('a commit is one condition on the statics and one on each row', () => {
  const statements = projectStatements(
    'ks',
    change(id, { epoch: 1n, rev: 2n, life: 'live' }, { rev: 3n, head: row.to }, [
      { ...update, set: { state: 'committed', changedAtMs: 5 } },
    ]),
  )
  same(statements, [
    {
      query:
        'UPDATE ks.project SET rev = ?, head = ? WHERE project_id = ? IF epoch = ? AND rev = ? AND life = ?',
      params: [3n, row.to, id, 1n, 2n, 'live'],
    },
    {
      query:
        'UPDATE ks.project SET state = ?, changed_at = ? WHERE project_id = ? AND write_id = ? IF state = ?',
      params: ['committed', new Date(5), id, row.writeId, 'writing'],
    },
  ])
})

test('where rows alone are conditioned, nothing else is', () => {
  same(
    projectStatements(
      'ks',
      change(id, {}, {}, [update, { kind: 'remove', writeId: aRow().writeId, if: 'deleted' }]),
    ).length,
    2,
  )
})

test('a row that is only inserted, or a change without a condition, asks for the project itself', () => {
  const anchor = {
    query: 'UPDATE ks.project SET present = ? WHERE project_id = ? IF present = ?',
    params: [true, id, true],
  }
  same(projectStatements('ks', change(id, {}, {}, [{ kind: 'insert', row }]))[0], anchor)
  same(projectStatements('ks', change(id, {}, {})), [anchor])
  same(projectStatements('ks', change(id, {}, { gid: 7 }, [update]))[0], {
    query: 'UPDATE ks.project SET gid = ? WHERE project_id = ? IF present = ?',
    params: [7n, id, true],
  })
})

test('a condition that goes with no assignment assigns what it demands', () => {
  same(projectStatements('ks', change(id, { epoch: 4n, life: 'live' }, {}, [{ kind: 'insert', row }]))[0], {
    query: 'UPDATE ks.project SET epoch = ?, life = ? WHERE project_id = ? IF epoch = ? AND life = ?',
    params: [4n, 'live', id, 4n, 'live'],
  })
  same(projectStatements('ks', change(id, {}, {}, [{ ...update, set: {} }])), [
    {
      query: 'UPDATE ks.project SET state = ? WHERE project_id = ? AND write_id = ? IF state = ?',
      params: ['writing', id, row.writeId, 'writing'],
    },
  ])
})

test('no condition ever compares with null, and each statement has one', () => {
  const transactions = [
    creation(id, aStatics(), [{ kind: 'insert', row }]),
    change(id, { epoch: 1n }, { owner: null, head: null, quotaBytes: null }, [
      { ...update, set: { committedAtMs: null, manifest: null } },
    ]),
    change(id, {}, { owner: null }, [{ kind: 'insert', row }]),
  ]
  for (const { query, params } of transactions.flatMap((each) => projectStatements('ks', each))) {
    assert.match(query, / IF /)
    const conditions = query.split(' IF ')[1]?.split('?').length ?? 0
    if (!query.endsWith('IF NOT EXISTS'))
      assert.ok(
        params.slice(params.length - conditions + 1).every((value) => value !== null && value !== undefined),
      )
  }
})

test('the same kind of transaction is the same text, in whatever order its values are named', () => {
  const one = projectStatements('ks', change(id, { epoch: 1n, rev: 1n }, { rev: 2n, head: null }))
  const other = projectStatements('ks', change(id, { rev: 5n, epoch: 4n }, { head: row.to, rev: 6n }))
  same(
    one.map(({ query }) => query),
    other.map(({ query }) => query),
  )
})

test('a row that is named twice is refused, before anything is sent', () => {
  for (const rows of [
    [update, update],
    [{ kind: 'insert', row } as const, update],
  ])
    assert.throws(
      () => projectStatements('ks', change(id, {}, {}, rows)),
      (error: unknown) => codeOf(error) === 'bad-transaction',
    )
})

test('a number that the driver would wrap is refused, wherever it stands', () => {
  const great = 2n ** 63n
  const refused = (error: unknown): boolean => codeOf(error) === 'number-out-of-range'
  for (const transaction of [
    change(id, { epoch: great }, {}),
    change(id, { rev: great }, {}),
    change(id, {}, { quotaBytes: great }),
    change(id, {}, { rev: great }),
    creation(id, aStatics({ born: great })),
  ])
    assert.throws(() => projectStatements('ks', transaction), refused)
  const host = { what: 'renewal', host: aHost().host, if: {}, set: { renewSeq: great } }
  assert.throws(() => hostStatement('ks', host), refused)
})

test('a renewal is one conditional statement', () => {
  const { host, session } = aHost()
  same(hostStatement('ks', { what: 'renewal', host, if: { session, renewSeq: 4n }, set: { renewSeq: 5n } }), {
    query: 'UPDATE ks.host SET renew_seq = ? WHERE host_id = ? IF session = ? AND renew_seq = ?',
    params: [5n, host, session, 4n],
  })
})

test.run()
