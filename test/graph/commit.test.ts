import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { type CommitAttempt, commitAttempt } from '../../pipeline/graph/commit.ts'
import { rulesWithout } from '../../pipeline/graph/rules.ts'
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import type { Transaction } from '../../pipeline/graph/transaction.ts'
import { destroyProject } from '../../pipeline/graph/transitions/life.ts'
import { takeOver, touchProject } from '../../pipeline/graph/transitions/owner.ts'
import { markDeleting, supersedeWrites } from '../../pipeline/graph/transitions/removal.ts'
import { abortWrite, commitWrite } from '../../pipeline/graph/transitions/writes.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { aManifest } from '../contracts/values.ts'
import { Fault, faultyCatalogue } from '../support/faulty-catalogue.ts'
import { B, edge, point, projectOf } from '../support/graph.ts'

const test = suite('graph: commit')

const NONE = { policy: { latest: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0 } }
const row = edge('w', 1, 2, { state: 'writing' })
const manifest = aManifest()

function world(rows: readonly WriteRow[] = [edge('f', 0, 1), row]) {
  const { catalogue, state } = memoryStore()
  const planned = projectOf(rows)
  state.projects.set(planned.id, planned)
  const attempt: CommitAttempt = { writeId: row.writeId, manifest, planned }
  return { catalogue, planned, attempt, state }
}

/** Something else happens right before the commit is sent for the first time. */
function overtakenBy(catalogue: ReturnType<typeof world>['catalogue'], other: () => Promise<Transaction>) {
  let first = true
  return faultyCatalogue(catalogue, {
    before: async (what) => {
      if (!what.startsWith('commit') || !first) return
      first = false
      assert.ok(await catalogue.apply(await other()))
    },
  })
}

test('the write becomes an edge and its end the head', async () => {
  const { catalogue, planned, attempt } = world()
  const after = await commitAttempt(catalogue, attempt)
  assert.is(after.statics.head, row.to)
  assert.is(after.statics.rev, planned.statics.rev + 1n)
  assert.is(after.statics.epoch, planned.statics.epoch)
  assert.is(after.rows.get(row.writeId)?.state, 'committed')
  assert.equal(after.rows.get(row.writeId)?.manifest, manifest)
  assert.equal(await catalogue.read(planned.id), after)
})

test('one or two answers lost, in whatever way: it is committed once, and said to be', async () => {
  for (const fault of Object.values(Fault))
    for (const second of [undefined, ...Object.values(Fault)]) {
      const { catalogue, planned, attempt } = world()
      const writes = { 0: fault, ...(second && { 1: second }) }
      const after = await commitAttempt(faultyCatalogue(catalogue, { writes }), attempt)
      assert.is(after.rows.get(row.writeId)?.state, 'committed', `${fault}, ${second}`)
      assert.is(after.statics.rev, planned.statics.rev + 1n)
    }
})

test('the data is not sent again where only rev has moved', async () => {
  const { catalogue, planned, attempt } = world()
  const racing = overtakenBy(catalogue, async () => touchProject(await read(catalogue, planned)))
  assert.is((await commitAttempt(racing, attempt)).statics.rev, planned.statics.rev + 2n)
})

for (const [what, other, why] of [
  ['taken over', (now) => takeOver(now, B), /taken over, rolled back or destroyed/],
  ['destroyed', (now) => destroyProject(now, 0), /the project is destroyed/],
  [
    'deprived of its base',
    (now) => supersedeWrites(now, [now.rows.get(edge('f', 0, 1).writeId)!], 0),
    /its base 1/,
  ],
  ['ended', (now) => abortWrite(now.id, row, 0), /its row is aborted/],
] as [string, (now: Project) => Transaction, RegExp][])
  test(`a commit whose project was ${what} meanwhile is refused for ever`, async () => {
    const { catalogue, planned, attempt } = world()
    const racing = overtakenBy(catalogue, async () => other(await read(catalogue, planned)))
    const error = await commitAttempt(racing, attempt).catch((error: Error) => error)
    assert.is(codeOf(error), 'commit-refused')
    assert.match((error as Error).message, why)
    assert.is((await read(catalogue, planned)).statics.head, point(1))
    assert.is(await commitAttempt(catalogue, attempt).catch(codeOf), 'commit-refused')
  })

test('what the caller no longer allows is not issued again', async () => {
  const { catalogue, planned, attempt } = world()
  const racing = overtakenBy(catalogue, async () => touchProject(await read(catalogue, planned)))
  const stillAllowed = (now: Project) =>
    now.statics.rev > planned.statics.rev ? 'the dataset is gone' : undefined
  const error = await commitAttempt(racing, { ...attempt, stillAllowed }).catch((error: Error) => error)
  assert.match((error as Error).message, 'the dataset is gone')
})

test('a refusal is final: a commit that is still under way is ended first, or is seen to have happened', async () => {
  for (const fault of Object.values(Fault)) {
    const { catalogue, planned, attempt } = world()
    let asked = 0
    const stillAllowed = () => (asked++ > 0 ? 'this host was lost' : undefined)
    const faulty = faultyCatalogue(catalogue, { writes: { 0: fault } })
    const result = await commitAttempt(faulty, { ...attempt, stillAllowed }).catch(codeOf)
    const state = (await read(catalogue, planned)).rows.get(row.writeId)?.state
    assert.is(state, fault === Fault.NeverHappens ? 'aborted' : 'committed', fault)
    assert.is(result === 'commit-refused', state === 'aborted', fault)
  }
})

test('a commit that happened long ago is known by its row, superseded or gone already', async () => {
  const { catalogue, planned, attempt } = world()
  const later = faultyCatalogue(catalogue, {
    writes: { 0: Fault.HappensUnseen },
    reads: [],
    before: async (what) => {
      if (!what.startsWith('read')) return
      const now = await read(catalogue, planned)
      const mine = now.rows.get(row.writeId)
      if (mine?.state === 'committed') {
        await catalogue.apply(supersedeWrites(now, [mine], 0))
        const next = await read(catalogue, planned)
        await catalogue.apply(markDeleting(next, [next.rows.get(row.writeId)!], 0))
      }
    },
  })
  const after = await commitAttempt(later, attempt)
  assert.is(after.rows.get(row.writeId)?.state, 'deleting')
  const without = { ...attempt, rules: rulesWithout('supersededIsDone') }
  assert.is(await commitAttempt(catalogue, without).catch(codeOf), 'commit-refused')
})

test('what the new edge makes superfluous goes in the same transaction, but never the edge itself', async () => {
  const { catalogue, attempt } = world([edge('f', 0, 1), edge('old', 0, 9), row])
  const after = await commitAttempt(catalogue, { ...attempt, retention: NONE })
  assert.is(after.rows.get(edge('old', 0, 9).writeId)?.state, 'superseded')
  assert.is(after.rows.get(edge('f', 0, 1).writeId)?.state, 'committed')
  assert.is(after.rows.get(row.writeId)?.state, 'committed')
})

test('a side point is kept from its commit on, and the head stays', async () => {
  const side = { ...row, side: true }
  const { catalogue, attempt } = world([edge('f', 0, 1), side])
  const after = await commitAttempt(catalogue, { ...attempt, retention: NONE })
  assert.is(after.statics.head, point(1))
  assert.equal(after.statics.kept, { [point(2)]: 'side' })
})

test('another way to a point that there is keeps nothing new', async () => {
  const parallel = edge('w', 0, 1, { state: 'writing', side: true, bytes: 1 })
  const { catalogue, attempt } = world([edge('f', 0, 1), parallel])
  const after = await commitAttempt(catalogue, { ...attempt, retention: NONE })
  assert.is(after.statics.head, point(1))
  assert.equal(after.statics.kept, {})
})

test('a store that never tells is given up on with the outcome open; a failed read is passed on', async () => {
  const never = Object.fromEntries(Array.from({ length: 50 }, (_, call) => [call, Fault.NeverHappens]))
  const { catalogue, attempt } = world()
  assert.is(
    await commitAttempt(faultyCatalogue(catalogue, { writes: never }), attempt).catch(codeOf),
    'outcome-unknown',
  )
  const silent = faultyCatalogue(catalogue, { reads: [0] })
  assert.is(await commitAttempt(silent, attempt).catch(codeOf), 'store-unavailable')
})

test('a row that is not writing is not committed', () => {
  const project = projectOf([edge('f', 0, 1)])
  assert.throws(
    () => commitWrite(project, { writeId: row.writeId, manifest, nowMs: 0 }),
    (error: Error) => codeOf(error) === 'write-not-writing',
  )
})

async function read(catalogue: ReturnType<typeof world>['catalogue'], { id }: Project): Promise<Project> {
  const now = await catalogue.read(id)
  assert.ok(now)
  return now!
}

test.run()
