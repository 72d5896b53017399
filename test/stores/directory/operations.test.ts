import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Transaction } from '../../../pipeline/graph/transaction.ts'
import {
  adds,
  changesPaths,
  type Operation,
  type Rows,
  run,
} from '../../../pipeline/stores/directory/operations.ts'
import { storedTransaction } from '../../../pipeline/stores/directory/rows.ts'
import { aRow, aStatics, newProjectId } from '../../contracts/values.ts'

const test = suite('operations of the catalogue')

/** What LMDB is to an operation, with a count of the keys that it looked at. */
function table(): Rows & { readonly content: Map<string, string>; readonly touched: Set<string> } {
  const content = new Map<string, string>()
  const touched = new Set<string>()
  const name = (key: readonly (string | number)[]): string => {
    touched.add(key.join(' '))
    return key.join(' ')
  }
  return {
    content,
    touched,
    get: (key) => content.get(name(key)),
    put: (key, value) => void content.set(name(key), value),
    remove: (key) => void content.delete(name(key)),
    keysIn: ({ start, end }, limit) =>
      [...content.keys()]
        .filter((key) => key >= start.join(' ') && key < end.join(' '))
        .slice(0, limit)
        .map((key) => key.split(' ')),
  }
}

const apply = (transaction: Transaction, chainMark = 'mark'): Operation => ({
  kind: 'apply',
  transaction: storedTransaction(transaction),
  chainMark,
})

test('a transaction touches its project and the rows that it names, whatever else there is', () => {
  const rows = table()
  const project = newProjectId()
  const many = Array.from({ length: 100 }, () => aRow())
  const inserts = many.map((row) => ({ kind: 'insert' as const, row }))
  assert.ok(run(rows, apply({ project, what: 'all', if: 'absent', set: aStatics(), rows: inserts })))
  rows.touched.clear()
  const { writeId } = many[7] as (typeof many)[0]
  const update = { kind: 'update', writeId, if: 'writing', set: { state: 'aborted' } } as const
  assert.ok(run(rows, apply({ project, what: 'one', if: {}, set: {}, rows: [update] })))
  assert.equal([...rows.touched].sort(), [`project ${project}`, `row ${project} ${writeId}`])
})

test('a condition that does not hold changes nothing', () => {
  const rows = table()
  const project = newProjectId()
  assert.ok(run(rows, apply({ project, what: 'all', if: 'absent', set: aStatics(), rows: [] })))
  const before = new Map(rows.content)
  const insert = { kind: 'insert', row: aRow() } as const
  assert.not(
    run(rows, apply({ project, what: 'late', if: { rev: 99n }, set: { rev: 100n }, rows: [insert] })),
  )
  assert.equal(rows.content, before)
})

test('marks the chain when streams that lead to the head may have changed, and forgets only its own mark', () => {
  const rows = table()
  const project = newProjectId()
  const row = aRow()
  const start = { project, what: 'x', if: 'absent', set: { ...aStatics(), head: null } } as const
  const insert = { kind: 'insert', row } as const
  const commit = { kind: 'update', writeId: row.writeId, if: 'writing', set: { state: 'committed' } } as const
  run(rows, apply({ ...start, rows: [insert] }, 'first'))
  run(rows, apply({ ...start, if: {}, set: {}, rows: [commit] }, 'second'))
  assert.is(rows.content.get(`chain ${project}`), 'second')
  run(rows, { kind: 'chain-written', project, chainMark: 'first' })
  assert.is(rows.content.get(`chain ${project}`), 'second')
  run(rows, { kind: 'chain-written', project, chainMark: 'second' })
  assert.not(rows.content.has(`chain ${project}`))
  const touch = storedTransaction({ ...start, if: {}, set: { rev: 5n }, rows: [] })
  assert.not(changesPaths(touch))
})

test('a put takes along a few old entries', () => {
  const rows = table()
  for (let i = 0; i < 100; i++) rows.put(['log', `2026-01-${10 + i}`], 'old')
  const dropBefore = { start: ['log'], end: ['log', '2026-01-99'] }
  run(rows, { kind: 'put', key: ['log', '2026-02-01'], value: 'new', dropBefore })
  assert.is(rows.content.size, 100 - 64 + 1)
})

test('only what makes the catalogue grow is refused when it is full', () => {
  const project = newProjectId()
  const row = aRow()
  const empty = { project, what: 'x', if: {}, set: {} } as const
  assert.ok(adds(apply({ ...empty, rows: [{ kind: 'insert', row }] })))
  assert.ok(adds({ kind: 'put', key: ['note', 'a'], value: 'b' }))
  assert.not(adds(apply({ ...empty, rows: [{ kind: 'remove', writeId: row.writeId, if: 'deleted' }] })))
  assert.not(adds({ kind: 'remove', key: ['note', 'a'] }))
})

test.run()
