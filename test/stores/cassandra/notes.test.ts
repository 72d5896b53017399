import { types } from 'cassandra-driver'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OutcomeUnknownError, StoreUnavailableError } from '../../../pipeline/base/errors.ts'
import type { Statement } from '../../../pipeline/stores/cassandra/batch.ts'
import { type NoteTable, readNote, writeNote } from '../../../pipeline/stores/cassandra/notes.ts'
import type { Session } from '../../../pipeline/stores/cassandra/session.ts'
import { rejection } from '../../contracts/values.ts'

const test = suite('cassandra: notes')

/** One note; `before` runs before each transaction and may change it, fail, or say what is answered instead. */
function fakeTable(before: (note: { seq: bigint; text: string | null }) => boolean | undefined) {
  const note = { seq: 1n, text: 'first' as string | null }
  let transactions = 0
  const session = {
    async read() {
      const row = { get: (name: string) => (name === 'seq' ? note.seq : note.text) }
      return { first: () => row }
    },
    async transact([statement]: readonly [Statement]) {
      transactions++
      const answer = before(note)
      if (answer !== undefined) return answer
      const [seq, text, , condition] = statement.params as [bigint, string | null, string, bigint]
      if (condition !== note.seq) return false
      Object.assign(note, { seq, text })
      return true
    },
  } as unknown as Session
  const table: NoteTable = { session, keyspace: 'ks', serial: types.consistencies.serial }
  return { table, note, transactions: () => transactions }
}

test('who loses to another writes again, after the other', async () => {
  let others = 3
  const { table, note, transactions } = fakeTable((now) => {
    if (others-- > 0) now.seq++
    return undefined
  })
  await writeNote(table, 'a', 'mine', {})
  assert.is(await readNote(table, 'a', {}), 'mine')
  assert.is(note.seq, 5n)
  assert.is(transactions(), 4)
})

test('an answer that was lost is no reason to give up', async () => {
  let lost = 2
  const { table, note } = fakeTable(() => {
    if (lost-- > 0) throw new OutcomeUnknownError('note a')
    return undefined
  })
  await writeNote(table, 'a', undefined, {})
  assert.is(note.text, null)
  assert.is(await readNote(table, 'a', {}), undefined)
})

test('an abort ends the tries with its reason', async () => {
  const control = new AbortController()
  const reason = new Error('no more')
  const { table } = fakeTable(() => {
    control.abort(reason)
    throw new OutcomeUnknownError('note a', reason)
  })
  assert.is(await rejection(writeNote(table, 'a', 'x', { signal: control.signal }), 'the note'), reason)
})

test('a note that everybody writes is given up, to be tried later', async () => {
  const { table } = fakeTable(() => false)
  assert.instance(await rejection(writeNote(table, 'a', 'x', {}), 'the note'), StoreUnavailableError)
})

test.run()
