import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { rulesWithout } from '../../pipeline/graph/rules.ts'
import { readProject, settle } from '../../pipeline/graph/settle.ts'
import { releaseProject, touchProject } from '../../pipeline/graph/transitions/owner.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { newProjectId } from '../contracts/values.ts'
import { Fault, faultyCatalogue } from '../support/faulty-catalogue.ts'
import { projectOf } from '../support/graph.ts'

const test = suite('graph: settle')

function world() {
  const { catalogue, state } = memoryStore()
  const project = projectOf([])
  state.projects.set(project.id, project)
  return { catalogue, project, state }
}

test('one answer lost, in whatever way: when it returns, the transition has happened or never will', async () => {
  for (const fault of Object.values(Fault))
    for (const call of [0, 1]) {
      const { catalogue, project } = world()
      const faulty = faultyCatalogue(catalogue, { writes: { 0: Fault.NeverHappens, [call]: fault } })
      const after = await settle(faulty, project, releaseProject(project))
      assert.ok(after.statics.rev > project.statics.rev, fault)
      assert.equal(after, await catalogue.read(project.id))
      assert.not(await catalogue.apply(releaseProject(project)), 'a copy that arrives later fails')
    }
})

test('a transition that another one overtook is over, and costs no touch', async () => {
  const { catalogue, project } = world()
  const sent: string[] = []
  const watched = faultyCatalogue(catalogue, { before: (what) => void sent.push(what.split(' ')[0]!) })
  await catalogue.apply(touchProject(project))
  const after = await settle(watched, project, releaseProject(project))
  assert.is(after.statics.owner, project.statics.owner)
  assert.equal(sent, ['release', 'read'])
})

test('without the fence it would return while the transition is still on its way', async () => {
  const { catalogue, project } = world()
  const faulty = faultyCatalogue(catalogue, { writes: { 0: Fault.HappensLate } })
  const after = await settle(faulty, project, releaseProject(project), { rules: rulesWithout('fence') })
  assert.is(after.statics.rev, project.statics.rev)
})

test('a store that never answers a transaction is given up on, and a read that fails is passed on', async () => {
  const never = Object.fromEntries(Array.from({ length: 50 }, (_, call) => [call, Fault.NeverHappens]))
  const { catalogue, project } = world()
  const error = await settle(
    faultyCatalogue(catalogue, { writes: never }),
    project,
    releaseProject(project),
  ).catch((error: Error) => error)
  assert.is(codeOf(error), 'outcome-unknown')
  assert.match((error as Error).message, 'release')
  const silent = faultyCatalogue(catalogue, { reads: [0] })
  assert.is(await settle(silent, project, releaseProject(project)).catch(codeOf), 'store-unavailable')
})

test('a project that is not there is named', async () => {
  const id = newProjectId()
  const error = await readProject(memoryStore().catalogue, id).catch((error: Error) => error)
  assert.is(codeOf(error), 'project-unknown')
  assert.match((error as Error).message, id)
})

test.run()
