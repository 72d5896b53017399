import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import type { Project, Statics } from '../../pipeline/graph/state.ts'
import { applyTransaction, type Transaction } from '../../pipeline/graph/transaction.ts'
import {
  createProject,
  destroyProject,
  finishPurge,
  recreateProject,
  setProjectProperties,
  setQuota,
  startPurge,
  undeleteProject,
} from '../../pipeline/graph/transitions/life.ts'
import { releaseProject, takeOver, touchProject } from '../../pipeline/graph/transitions/owner.ts'
import { acknowledgePoints, keepPoint, rollback } from '../../pipeline/graph/transitions/points.ts'
import {
  forgetWrite,
  markDeleted,
  markDeleting,
  supersedeWrites,
} from '../../pipeline/graph/transitions/removal.ts'
import {
  abortBeforeIntent,
  abortWrite,
  beginWrite,
  commitWrite,
  raiseSeqHigh,
} from '../../pipeline/graph/transitions/writes.ts'
import { aManifest, newProjectId } from '../contracts/values.ts'
import { A, B, edge, point, projectOf } from '../support/graph.ts'

const test = suite('graph: transitions')

const two = () => [edge('a', 0, 1), edge('b', 1, 2)]
const writing = edge('w', 2, 3, { state: 'writing' })

function after(project: Project, transaction: Transaction): Project {
  const next = applyTransaction(project, transaction)
  assert.ok(next, `${transaction.what} does not hold`)
  return next!
}

const fails = (plan: () => unknown, code: string) =>
  assert.throws(plan, (error: Error) => codeOf(error) === code && error.message.length > 20)

const inLife = (life: Statics['life']) => projectOf(two(), { life })

test('everything that moves rev moves it by one, and only what fences an owner moves the epoch', () => {
  const old = edge('old', 0, 2, { state: 'superseded' })
  const project = projectOf([...two(), old, writing], { kept: { [point(1)]: 'side' } })
  const gone = { ...project, statics: { ...project.statics, life: 'destroyed' as const } }
  const plain = [
    releaseProject(project),
    touchProject(project),
    keepPoint(project, point(1), 'pinned'),
    acknowledgePoints(project, [point(1)]),
    supersedeWrites(project, two().slice(0, 1), 0),
    markDeleting(project, [old], 0),
    commitWrite(project, { writeId: writing.writeId, manifest: aManifest(), nowMs: 0 }),
  ]
  for (const transaction of plain) {
    const { statics } = after(project, transaction)
    assert.is(statics.rev, project.statics.rev + 1n, transaction.what)
    assert.is(statics.epoch, project.statics.epoch, transaction.what)
    assert.is(applyTransaction(after(project, touchProject(project)), transaction), null, 'fenced by rev')
  }
  const fencing: [Project, Transaction][] = [
    [project, takeOver(project, B)],
    [project, rollback(project, point(1))],
    [project, destroyProject(project, 0)],
    [gone, undeleteProject(gone, 0)],
    [gone, startPurge(gone, 0)],
  ]
  for (const [from, transaction] of fencing) {
    const { statics } = after(from, transaction)
    assert.is(statics.rev, project.statics.rev + 1n, transaction.what)
    assert.is(statics.epoch, project.statics.epoch + 1n, transaction.what)
  }
})

test('intents, high-water marks and quota disturb nobody, but do not outlive an epoch', () => {
  const project = projectOf(two())
  const begun = after(project, beginWrite(project, writing))
  for (const transaction of [
    beginWrite(project, writing),
    raiseSeqHigh(begun, writing.writeId, 64),
    setQuota(project, 5n),
  ]) {
    const base = transaction.what.startsWith('intent') ? project : begun
    const moved = after(base, touchProject(base))
    const done = after(moved, transaction)
    assert.is(done.statics.rev, moved.statics.rev)
    assert.is(applyTransaction(after(base, takeOver(base, B)), transaction), null, transaction.what)
  }
})

test('properties are planned from those that were read, and are the project’s whatever it has saved', () => {
  const project = projectOf(two())
  const transaction = setProjectProperties(project, { compression: 'gzip' })
  const { statics } = after(project, transaction)
  assert.equal(statics.properties, { compression: 'gzip' })
  assert.equal([statics.epoch, statics.head], [project.statics.epoch, project.statics.head])
  assert.is(applyTransaction(after(project, touchProject(project)), transaction), null)
  assert.is(applyTransaction(after(project, takeOver(project, B)), transaction), null)
  const destroyed = after(project, destroyProject(project, 1))
  fails(() => setProjectProperties(destroyed, {}), 'project-destroyed')
})

test('an abort carries its row’s state only, and is done once', () => {
  const project = projectOf([...two(), writing])
  const later = after(project, takeOver(project, B))
  const aborted = after(later, abortWrite(project.id, writing, 5))
  assert.is(aborted.rows.get(writing.writeId)?.state, 'aborted')
  assert.is(aborted.rows.get(writing.writeId)?.changedAtMs, 5)
  assert.is(applyTransaction(aborted, abortWrite(project.id, writing, 6)), null)
  assert.is(applyTransaction(project, abortBeforeIntent(project.id, writing, 5)), null)
})

test('what is ended goes on only to deleted, and then its row may leave', () => {
  const project = projectOf([edge('a', 0, 1), edge('s', 0, 4, { state: 'superseded' })])
  const row = (from: Project) => from.rows.get(edge('s', 0, 4).writeId)!
  const deleting = after(project, markDeleting(project, [row(project)], 1))
  const deleted = after(deleting, markDeleted(project.id, row(deleting), 2))
  assert.is(row(deleted).state, 'deleted')
  assert.not(after(deleted, forgetWrite(project.id, row(deleted))).rows.has(row(deleted).writeId))
  assert.is(applyTransaction(project, markDeleted(project.id, row(deleting), 2)), null)
})

test('what can still be read or committed is not marked for deletion, unless the project is purged', () => {
  const project = projectOf([...two(), writing])
  fails(() => markDeleting(project, [writing], 0), 'write-state-wrong')
  fails(() => markDeleting(project, two(), 0), 'write-state-wrong')
  fails(() => supersedeWrites(project, [writing], 0), 'write-state-wrong')
  const purging = projectOf(two(), { life: 'purging' })
  assert.is([...after(purging, markDeleting(purging, two(), 0)).rows.values()][0]?.state, 'deleting')
})

test('a created project begins at one, and is created once', () => {
  const id = newProjectId()
  const transaction = createProject(id, { owner: A, nowMs: 9 })
  const project = applyTransaction(undefined, transaction)
  assert.ok(project)
  assert.equal([project!.statics.epoch, project!.statics.rev, project!.statics.born], [1n, 1n, 1n])
  assert.is(applyTransaction(project!, transaction), null)
})

test('a rollback keeps the head that it leaves, goes only to points that there are, and under a new epoch', () => {
  const project = projectOf(two())
  const back = after(project, rollback(project, point(1)))
  assert.is(back.statics.head, point(1))
  assert.equal(back.statics.kept, { [point(2)]: 'left-by-rollback' })
  assert.equal(after(project, rollback(project, point(1), 'unreadable')).statics.kept, {
    [point(2)]: 'unreadable',
  })
  assert.equal(after(project, rollback(project, point(2))).statics.kept, {})
  fails(() => rollback(project, point(9)), 'point-unknown')
  fails(() => rollback(projectOf([edge('island', 7, 8)], { head: null }), point(8)), 'point-unknown')
  fails(() => keepPoint(project, point(9), 'pinned'), 'point-unknown')
  assert.equal(after(back, acknowledgePoints(back, [point(2)])).statics.kept, {})
})

test('each change of life starts from one life only', () => {
  const lives = ['live', 'destroyed', 'purging', 'purged'] as const
  const steps: [Statics['life'], Statics['life'], (project: Project) => Transaction][] = [
    ['live', 'destroyed', (project) => destroyProject(project, 4)],
    ['destroyed', 'live', (project) => undeleteProject(project, 4)],
    ['destroyed', 'purging', (project) => startPurge(project, 4)],
    ['purging', 'purged', (project) => finishPurge({ ...project, rows: new Map() }, 4)],
    ['purged', 'live', (project) => recreateProject(project, { owner: B, nowMs: 4 })],
  ]
  for (const [from, to, step] of steps)
    for (const life of lives) {
      if (life !== from) fails(() => step(inLife(life)), `project-${life}`)
      else {
        const { statics } = after(inLife(life), step(inLife(life)))
        assert.is(statics.life, to)
        assert.is(statics.lifeAtMs, 4)
      }
    }
  for (const life of lives.slice(1)) {
    fails(() => beginWrite(inLife(life), writing), `project-${life}`)
    fails(() => takeOver(inLife(life), B), `project-${life}`)
    fails(() => rollback(inLife(life), point(1)), `project-${life}`)
    fails(() => supersedeWrites(inLife(life), two(), 0), `project-${life}`)
  }
})

test('a purge ends only when every write is gone, and a new life knows nothing of the old one', () => {
  fails(() => finishPurge(inLife('purging'), 0), 'purge-unfinished')
  const purged = projectOf([edge('a', 0, 1, { state: 'deleted' })], { life: 'purged', epoch: 8n, born: 1n })
  const { statics } = after(purged, recreateProject(purged, { owner: B, nowMs: 0 }))
  assert.equal([statics.epoch, statics.born, statics.owner, statics.head], [9n, 9n, B, null])
  assert.equal(statics.kept, {})
})

test('a destroy takes the owner away', () => {
  const project = projectOf(two())
  assert.is(after(project, destroyProject(project, 0)).statics.owner, null)
})

test.run()
