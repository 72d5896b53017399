import { types } from 'cassandra-driver'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StoreUnavailableError } from '../../../pipeline/base/errors.ts'
import type { Statics, WriteRow } from '../../../pipeline/graph/state.ts'
import { readProject } from '../../../pipeline/stores/cassandra/project-read.ts'
import { rowColumns, staticsColumns } from '../../../pipeline/stores/cassandra/rows.ts'
import type { Session } from '../../../pipeline/stores/cassandra/session.ts'
import {
  aProject,
  aRow,
  aStatics,
  fullStatics,
  newProjectId,
  rejection,
  same,
} from '../../contracts/values.ts'

const test = suite('cassandra: project-read')
const id = newProjectId()
const SERIAL = types.consistencies.localSerial

interface Content {
  readonly statics: Statics
  readonly rows: readonly WriteRow[]
}

/** A partition that is read in pages of two rows, and may change between them. */
function fakeSession(now: () => Content): Session & { readonly pages: number } {
  let pages = 0
  return {
    get pages() {
      return pages
    },
    async read(
      _query: string,
      _params: unknown,
      { pageState, consistency }: { pageState?: string; consistency: number },
    ) {
      assert.is(consistency, SERIAL)
      pages++
      const from = Number(pageState ?? 0)
      const { statics, rows } = now()
      const shared = [['present', true] as const, ...staticsColumns(statics)]
      const page = rows.slice(from, from + 2).map(({ writeId, ...row }) => {
        const columns = new Map<string, unknown>([...shared, ['write_id', writeId], ...rowColumns(row)])
        return { get: (name: string) => columns.get(name) ?? null, values: () => [...columns.values()] }
      })
      return { rows: page, pageState: from + 2 < rows.length ? String(from + 2) : null }
    },
  } as unknown as Session & { readonly pages: number }
}

test('one page is one moment, and is read once', async () => {
  const content = { statics: fullStatics(), rows: [aRow(), aRow()] }
  const session = fakeSession(() => content)
  same(
    await readProject(session, 'ks', id, SERIAL, undefined, 2),
    aProject(id, content.statics, content.rows),
  )
  assert.is(session.pages, 1)
})

test('several pages are read until they are the same twice', async () => {
  const content = { statics: aStatics(), rows: Array.from({ length: 5 }, () => aRow()) }
  const session = fakeSession(() => content)
  same(
    await readProject(session, 'ks', id, SERIAL, undefined, 2),
    aProject(id, content.statics, content.rows),
  )
  assert.is(session.pages, 6)
})

test('a change between two pages is never half of what is read', async () => {
  const rows = Array.from({ length: 5 }, () => aRow())
  const before = { statics: aStatics(), rows }
  // One transaction changes the first row and the last: no rev tells of it.
  const after = {
    statics: aStatics(),
    rows: rows.map((row, n) => (n % 4 ? row : { ...row, state: 'aborted' as const })),
  }
  for (let moment = 1; moment <= 6; moment++) {
    const session: ReturnType<typeof fakeSession> = fakeSession(() =>
      session.pages <= moment ? before : after,
    )
    const read = await readProject(session, 'ks', id, SERIAL, undefined, 2)
    const states = [...(read?.rows.values() ?? [])].map(({ state }) => state)
    assert.is(states[0], states[4], `after page ${moment}`)
  }
})

test('a project that never stands still is not waited for for ever', async () => {
  let seqHigh = 0
  const ids = Array.from({ length: 3 }, () => aRow())
  const session = fakeSession(() => ({
    statics: aStatics(),
    rows: ids.map((row) => ({ ...row, seqHigh: seqHigh++ })),
  }))
  assert.instance(
    await rejection(readProject(session, 'ks', id, SERIAL, undefined, 2), 'the read'),
    StoreUnavailableError,
  )
})

test.run()
