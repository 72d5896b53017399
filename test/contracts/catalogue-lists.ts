/** What the lists, the log, the notes, the clock and the store's own record promise. */
import { randomUUID } from 'node:crypto'
import * as assert from 'uvu/assert'
import { newHostId, newWriteId } from '../../pipeline/base/ids.ts'
import type { LogEntry, WritingEntry } from '../../pipeline/stores/contract.ts'
import type { Promised } from './catalogue.ts'
import {
  all,
  aRow,
  aStatics,
  creation,
  fullStatics,
  GREAT_GUID,
  listedAtLast,
  newProjectId,
  same,
} from './values.ts'

const anEntry = (): WritingEntry => ({
  project: newProjectId(),
  row: aRow({ from: GREAT_GUID, side: true, seqHigh: 256 }),
})

const byWrite = (a: WritingEntry, b: WritingEntry) => (a.row.writeId < b.row.writeId ? -1 : 1)

export function listContract(promised: Promised): void {
  promised('the store says its format and when it was made, each time the same', async (catalogue) => {
    const info = await catalogue.info()
    assert.ok(Number.isInteger(info.format) && info.format > 0)
    assert.ok(Number.isFinite(info.createdAtMs))
    assert.ok(info.receivable === null || Array.isArray(info.receivable))
    same(await catalogue.info(), info)
  })

  promised('what its hosts can receive is what was said last, and says nothing else', async (catalogue) => {
    const before = await catalogue.info()
    for (const receivable of [['lz4', 'sa-spill'], [], ['zstd'], ['zstd'], null]) {
      await catalogue.setReceivable(receivable)
      same(await catalogue.info(), { ...before, receivable })
    }
  })

  promised('the list has each project once, with its hint', async (catalogue) => {
    const made = new Map(
      Array.from({ length: 25 }, (_, n) => [newProjectId(), n % 2 ? fullStatics() : aStatics()] as const),
    )
    for (const [id, statics] of made) assert.is(await catalogue.apply(creation(id, statics)), true)
    const ours = async () => (await all(catalogue.projects())).filter(({ id }) => made.has(id))
    const listed = await listedAtLast(ours, made.size)
    assert.is(listed.length, made.size)
    for (const hint of listed) {
      const { life, owner, head } = made.get(hint.id)!
      same(hint, { id: hint.id, life, owner, head })
    }
  })

  promised('whoever leaves a list early leaves nothing behind', async (catalogue) => {
    for (let n = 0; n < 3; n++) await catalogue.apply(creation(newProjectId(), aStatics()))
    for await (const hint of catalogue.projects()) {
      assert.ok(hint.id)
      break
    }
    assert.ok((await all(catalogue.projects())).length >= 3)
  })

  promised('what a host is writing is noted until it is forgotten', async (catalogue) => {
    const [host, other] = [newHostId(), newHostId()]
    const entries = Array.from({ length: 4 }, anEntry).sort(byWrite)
    same(await all(catalogue.writing(host)), [])
    for (const entry of entries) await catalogue.noteWriting(host, entry)
    await catalogue.noteWriting(other, anEntry())
    same((await all(catalogue.writing(host))).sort(byWrite), entries)
    await catalogue.forgetWriting(host, entries[1]!.row.writeId)
    same((await all(catalogue.writing(host))).sort(byWrite), [entries[0], entries[2], entries[3]])
    assert.is((await all(catalogue.writing(other))).length, 1)
  })

  promised('noting twice is noting once, forgetting what is not noted is no error', async (catalogue) => {
    const host = newHostId()
    const entry = anEntry()
    await catalogue.forgetWriting(host, entry.row.writeId)
    same(await all(catalogue.writing(host)), [])
    const other = anEntry()
    await catalogue.noteWriting(host, other)
    await catalogue.noteWriting(host, other)
    same(await all(catalogue.writing(host)), [other])
    await catalogue.forgetWriting(host, other.row.writeId)
    await catalogue.forgetWriting(host, other.row.writeId)
    same(await all(catalogue.writing(host)), [])
  })

  promised('the log of a day is in order of time and has no other days', async (catalogue) => {
    const project = newProjectId()
    const day = Date.parse(`${new Date().toISOString().slice(0, 10)}T00:00:00Z`)
    const entry = (atMs: number): LogEntry => ({
      atMs,
      project,
      writeId: newWriteId(),
      what: 'saved, größer',
    })
    const hours = [23.999, 0, 12, 3, 7.5, 3].map((hour) => entry(Math.round(day + hour * 3_600_000)))
    for (const each of [...hours, entry(day - 1), entry(day + 86_400_000)]) await catalogue.log(each)
    const logged = await all(catalogue.logged(new Date(day).toISOString().slice(0, 10)))
    for (const [n, { atMs }] of logged.entries()) assert.ok(n === 0 || logged[n - 1]!.atMs <= atMs)
    const text = (list: readonly LogEntry[]) =>
      list.map((each) => JSON.stringify(Object.entries(each).sort())).sort()
    same(text(logged.filter((each) => each.project === project)), text(hours))
  })

  promised('an entry that is logged again is there once or twice', async (catalogue) => {
    const entry = { atMs: Date.now(), project: newProjectId(), writeId: newWriteId(), what: 'saved' }
    await catalogue.log(entry)
    await catalogue.log(entry)
    const day = new Date(entry.atMs).toISOString().slice(0, 10)
    const count = (await all(catalogue.logged(day))).filter((each) => each.project === entry.project).length
    assert.ok(count === 1 || count === 2)
  })

  promised('a day without entries is empty', async (catalogue) => {
    same(await all(catalogue.logged('2001-02-03')), [])
  })

  promised('the last note under a name stands, until it is taken away', async (catalogue) => {
    const name = `note ${randomUUID()}`
    assert.is(await catalogue.readNote(name), undefined)
    await catalogue.writeNote(name, undefined)
    assert.is(await catalogue.readNote(name), undefined)
    for (const text of ['one', '', 'Grüße 🌊\n'.repeat(10_000), 'two', 'two']) {
      await catalogue.writeNote(name, text)
      assert.is(await catalogue.readNote(name), text)
    }
    assert.is(await catalogue.readNote(`${name} of another`), undefined)
    await catalogue.writeNote(name, undefined)
    assert.is(await catalogue.readNote(name), undefined)
    await catalogue.writeNote(name, 'again')
    assert.is(await catalogue.readNote(name), 'again')
  })

  promised('the clock is a whole number of milliseconds that does not fall', async (catalogue) => {
    const first = await catalogue.nowMs()
    assert.ok(Number.isInteger(first))
    assert.ok((await catalogue.nowMs()) >= first)
  })
}
