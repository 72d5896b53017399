import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { newSessionId } from '../../pipeline/base/ids.ts'
import { rulesWithout } from '../../pipeline/graph/rules.ts'
import { destroyProject } from '../../pipeline/graph/transitions/life.ts'
import { releaseProject, takeOver } from '../../pipeline/graph/transitions/owner.ts'
import { endHost, registerHost, renewHost } from '../../pipeline/hosts/session.ts'
import { DeathWatch, markDead, takeProject, touchAfterReturn } from '../../pipeline/hosts/take.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { Fault, faultyCatalogue } from '../support/faulty-catalogue.ts'
import { A, B, edge, projectOf } from '../support/graph.ts'
import { ManualClock } from '../support/manual-clock.ts'

const test = suite('hosts: take')

/** A project of A's, and A registered. */
async function world() {
  const { catalogue, state } = memoryStore()
  const project = projectOf([edge('f', 0, 1)])
  state.projects.set(project.id, project)
  const a = { host: A, session: newSessionId(), name: 'a.example', process: null }
  const { row } = await registerHost(catalogue, a)
  return { catalogue, project, a, row, state }
}

test('the owner has it already: one read and no transaction', async () => {
  const { catalogue, project } = await world()
  const calls: string[] = []
  const watched = faultyCatalogue(catalogue, { before: (what) => void calls.push(what) })
  assert.equal(await takeProject(watched, project.id, A), project)
  assert.equal(calls, [`read of ${project.id}`])
})

test('what a living host owns is refused at once, by its name', async () => {
  const { catalogue, project } = await world()
  const error = await takeProject(catalogue, project.id, B).catch((error: Error) => error)
  assert.is(codeOf(error), 'owned-elsewhere')
  assert.match((error as Error).message, 'a.example')
  assert.equal(await catalogue.read(project.id), project)
  assert.is(
    (await takeProject(catalogue, project.id, B, { rules: rulesWithout('takeDead') })).statics.owner,
    B,
  )
})

test('from nobody, from a host that ended and from a dead one it is taken, under a new epoch', async () => {
  for (const how of ['released', 'ended', 'dead'] as const) {
    const { catalogue, project, a, row } = await world()
    if (how === 'released') await catalogue.apply(releaseProject(project))
    if (how === 'ended') await endHost(catalogue, a)
    if (how === 'dead') assert.is((await markDead(catalogue, row)).state, 'dead')
    const taken = await takeProject(catalogue, project.id, B)
    assert.is(taken.statics.owner, B)
    assert.is(taken.statics.epoch, project.statics.epoch + 1n)
  }
})

test('one answer lost, in whatever way: who owns it is read, and a second take-over is not needed', async () => {
  for (const fault of Object.values(Fault)) {
    const { catalogue, project, a } = await world()
    await endHost(catalogue, a)
    const faulty = faultyCatalogue(catalogue, { writes: { 0: fault } })
    const taken = await takeProject(faulty, project.id, B).catch(() => takeProject(faulty, project.id, B))
    assert.is(taken.statics.owner, B, fault)
    assert.is(taken.statics.epoch, project.statics.epoch + 1n)
    assert.equal(await catalogue.read(project.id), taken)
  }
})

test('of two that want it one gets it, and the other is told who', async () => {
  const { catalogue, project, a } = await world()
  await endHost(catalogue, a)
  const C = 'host-c' as typeof A
  await registerHost(catalogue, { host: C, session: newSessionId(), name: 'c.example', process: null })
  let first = true
  const racing = faultyCatalogue(catalogue, {
    before: async (what) => {
      if (!what.startsWith('taking') || !first) return
      first = false
      await takeProject(catalogue, project.id, C)
    },
  })
  const error = await takeProject(racing, project.id, B).catch((error: Error) => error)
  assert.is(codeOf(error), 'owned-elsewhere')
  assert.match((error as Error).message, 'c.example')
})

test('a project that is not live is not taken', async () => {
  const { catalogue, project } = await world()
  await catalogue.apply(destroyProject(project, 0))
  assert.is(await takeProject(catalogue, project.id, B).catch(codeOf), 'project-destroyed')
})

test('a host is marked dead only as it was seen: a renewal in between saves it', async () => {
  const { catalogue, a, row } = await world()
  await renewHost(catalogue, a, row)
  assert.is((await markDead(catalogue, row)).state, 'live')
  for (const fault of [Fault.HappensUnseen, Fault.HappensTwice]) {
    const now = await catalogue.readHost(A)
    assert.ok(now)
    assert.is((await markDead(faultyCatalogue(catalogue, { writes: { 0: fault } }), now!)).state, 'dead')
    await registerHost(catalogue, { ...a, session: newSessionId() })
  }
})

test('a host that came back fences the take-over that was planned while it was dead', async () => {
  for (const rules of [rulesWithout(), rulesWithout('returnTouch')]) {
    const { catalogue, project, a, row } = await world()
    await markDead(catalogue, row)
    const planned = takeOver(project, B)
    await registerHost(catalogue, { ...a, session: newSessionId() })
    const touched = await touchAfterReturn(catalogue, project.id, A, { rules })
    assert.is(touched.statics.owner, A)
    assert.is(await catalogue.apply(planned), !rules.returnTouch)
  }
})

test('what others took meanwhile stays with them', async () => {
  const { catalogue, project, row } = await world()
  await markDead(catalogue, row)
  const taken = await takeProject(catalogue, project.id, B)
  assert.equal(await touchAfterReturn(catalogue, project.id, A), taken)
})

test('only a row that stood still for the whole time, as seen by one’s own clock, looks dead', async () => {
  const { catalogue, a, row } = await world()
  const clock = new ManualClock()
  const watch = new DeathWatch(clock, 300)
  assert.not(watch.looksDead(row))
  await clock.advance(299)
  assert.not(watch.looksDead(row))
  await clock.advance(1)
  assert.ok(watch.looksDead(row))
  const renewed = await renewHost(catalogue, a, row)
  assert.not(watch.looksDead(renewed))
  await clock.advance(300)
  assert.not(watch.looksDead({ ...renewed, session: newSessionId() }), 'another session begins anew')
  await clock.advance(300)
  assert.not(watch.looksDead({ ...renewed, state: 'ended' }))
})

test.run()
