import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import type { SessionId } from '../../pipeline/base/ids.ts'
import { endWrite, readResolved, unresolvedWrites } from '../../pipeline/graph/resolve.ts'
import { rulesWithout } from '../../pipeline/graph/rules.ts'
import type { WriteRow } from '../../pipeline/graph/state.ts'
import { beginWrite, commitWrite } from '../../pipeline/graph/transitions/writes.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { aManifest, newProjectId } from '../contracts/values.ts'
import { Fault, faultyCatalogue } from '../support/faulty-catalogue.ts'
import { A, B, edge, ids, projectOf, SESSION } from '../support/graph.ts'

const test = suite('graph: resolve')

const OLDER = 'session-0' as SessionId
const me = { host: A, session: SESSION }
const writing = (id: string, set: Partial<WriteRow> = {}) => edge(id, 1, 2, { state: 'writing', ...set })

function world(...rows: WriteRow[]) {
  const { catalogue, state } = memoryStore()
  const project = projectOf([edge('f', 0, 1), ...rows])
  state.projects.set(project.id, project)
  return { catalogue, project }
}

test('its own rows and those of its ended sessions are its to end, nobody else’s', () => {
  const { project } = world(
    writing('mine'),
    writing('older', { session: OLDER }),
    writing('other', { host: B }),
    edge('done', 1, 2),
  )
  assert.equal(ids(unresolvedWrites(project, me)), ['mine'])
  assert.equal(ids(unresolvedWrites(project, { ...me, isEnded: (session) => session === OLDER })), [
    'mine',
    'older',
  ])
  assert.equal(ids(unresolvedWrites(project, { ...me, rules: rulesWithout('sessionRows') })), [
    'mine',
    'older',
  ])
  assert.equal(ids(unresolvedWrites(project, { ...me, rules: rulesWithout('resolveFirst') })), [])
})

test('one answer lost, in whatever way: the write is aborted, once', async () => {
  for (const fault of Object.values(Fault)) {
    const { catalogue, project } = world(writing('w'))
    const state = await endWrite(
      faultyCatalogue(catalogue, { writes: { 0: fault } }),
      project.id,
      writing('w'),
    )
    assert.is(state, 'aborted', fault)
    const now = await catalogue.read(project.id)
    assert.is(now?.rows.get(writing('w').writeId)?.state, 'aborted')
    assert.is(now?.statics.rev, project.statics.rev)
  }
})

test('a write that was never announced is ended before its intent can come', async () => {
  for (const fault of [undefined, ...Object.values(Fault)]) {
    const { catalogue, project } = world()
    const faulty = faultyCatalogue(catalogue, fault ? { writes: { 0: fault } } : {})
    assert.is(await endWrite(faulty, project.id, writing('late')), 'aborted')
    assert.not(await catalogue.apply(beginWrite(project, writing('late'))))
  }
})

test('what is ended already stays as it is; what is gone is said to be gone', async () => {
  for (const state of ['committed', 'superseded', 'deleting', 'deleted', 'aborted'] as const) {
    const { catalogue, project } = world(writing('w', { state }))
    assert.is(await endWrite(catalogue, project.id, writing('w')), state)
    assert.equal(await catalogue.read(project.id), project)
  }
  assert.is(await endWrite(memoryStore().catalogue, newProjectId(), writing('w')), 'gone')
})

test('the project that comes back was read after the last of them was ended', async () => {
  const row = writing('w')
  const { catalogue, project } = world(row, writing('x'))
  const commit = commitWrite(project, { writeId: row.writeId, manifest: aManifest(), nowMs: 1 })
  let reads = 0
  const racing = faultyCatalogue(catalogue, {
    // Between the read that shows it and the one that ends it, a commit arrives that was under way.
    before: async (what) => {
      if (what.startsWith('read') && reads++ === 1) await catalogue.apply(commit)
    },
  })
  const resolved = await readResolved(racing, project.id, me)
  assert.is(resolved.project.statics.head, row.to)
  assert.equal(resolved.aborted, ['x'])
  assert.equal(unresolvedWrites(resolved.project, me), [])
})

test('an intent that arrives while others are ended is ended too; a store that says nothing is not guessed about', async () => {
  const { catalogue, project } = world(writing('w'))
  let calls = 0
  const racing = faultyCatalogue(catalogue, {
    before: async () => {
      if (calls++ === 1) await catalogue.apply(beginWrite(project, writing('late')))
    },
  })
  assert.equal((await readResolved(racing, project.id, me)).aborted, ['w', 'late'])
  const silent = faultyCatalogue(catalogue, { reads: [0] })
  assert.is(await readResolved(silent, project.id, me).catch(codeOf), 'store-unavailable')
})

test.run()
