import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../../pipeline/base/errors.ts'
import { newWriteId } from '../../../pipeline/base/ids.ts'
import type { Session } from '../../../pipeline/stores/cassandra/session.ts'
import { storedEntries } from '../../../pipeline/stores/cassandra/stored.ts'
import { all, newProjectId, rejection, same } from '../../contracts/values.ts'

const test = suite('cassandra: stored')

interface Partition {
  readonly place: bigint
  readonly write_id: string
  readonly bucket: number
  readonly project_id: string | null
}

/** A table of partitions in the order of Cassandra's, of which all but those from a token on can be left out. */
function fakeSession(partitions: readonly Partition[]): Session {
  return {
    async *rows(_query: string, [from]: readonly [bigint?]) {
      for (const row of partitions)
        if (from === undefined || row.place >= from) yield { get: (name: keyof Partition) => row[name] }
    },
  } as unknown as Session
}

/** Nine partitions, four of which share one token: among them the order is that of the keys' bytes. */
function partitions(): Partition[] {
  const ids = Array.from({ length: 4 }, () => newWriteId() as string).sort()
  const [a, b, c, d] = ids as [string, string, string, string]
  const project = newProjectId()
  const row = (place: bigint, write_id: string, bucket: number): Partition => ({
    place,
    write_id,
    bucket,
    project_id: project,
  })
  return [
    row(-(2n ** 63n) + 1n, c, 0),
    row(-7n, d, 3),
    row(0n, 'z', 0),
    row(0n, a, 0),
    row(0n, a, 300),
    row(0n, b, 1),
    row(1n, d, 9),
    row(2n ** 62n, a, 2),
    row(2n ** 63n - 1n, b, 0),
  ]
}

test('behind each cursor goes on what follows it, also among equal tokens', async () => {
  const session = fakeSession(partitions())
  const entries = await all(storedEntries(session, 'ks.chunk'))
  assert.is(entries.length, 9)
  assert.is(new Set(entries.map(({ cursor }) => cursor)).size, 9)
  for (const [n, { cursor }] of entries.entries())
    same(await all(storedEntries(session, 'ks.chunk', { after: cursor })), entries.slice(n + 1))
})

test('an entry that is gone by then is still a place to go on from', async () => {
  const before = partitions()
  const entries = await all(storedEntries(fakeSession(before), 'ks.chunk'))
  for (let gone = 0; gone < before.length; gone++) {
    const session = fakeSession(before.filter((_, n) => n !== gone))
    same(
      await all(storedEntries(session, 'ks.chunk', { after: entries[gone]!.cursor })),
      entries.slice(gone + 1),
    )
  }
})

test('a key that is not ours is listed, and judged by nobody', async () => {
  const row = { place: 5n, write_id: 'what/is\nthis', bucket: -1, project_id: null }
  const [entry] = await all(storedEntries(fakeSession([row]), 'ks.chunk'))
  same([entry?.project, entry?.writeId], [null, null])
  same(await all(storedEntries(fakeSession([row]), 'ks.chunk', { after: entry!.cursor })), [])
})

test('a cursor of another kind of store is refused', async () => {
  for (const after of ['', 'projects/a/b', '12/x/y'])
    assert.is(
      codeOf(await rejection(all(storedEntries(fakeSession([]), 'ks.chunk', { after })), 'the list')),
      'bad-cursor',
    )
})

test.run()
