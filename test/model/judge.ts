/** What must always hold, looked at in every state and at every transaction that happens. */
import type { Guid, WriteId } from '../../pipeline/base/ids.ts'
import { cheapestPaths } from '../../pipeline/graph/plan.ts'
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import { type Dataset, type Machine, type MachineName, type Past, sessionOf, type World } from './world.ts'

export function violate(world: World, what: string): void {
  world.violation ??= what
}

/** Called with each transaction on the project that happened. */
export function judgeChange(world: World, before: Project, after: Project): void {
  const was = before.statics
  const is = after.statics
  if (is.epoch < was.epoch || is.rev < was.rev) violate(world, 'epoch or rev went back')
  for (const row of after.rows.values()) {
    const old = before.rows.get(row.writeId)?.state
    if (row.state === 'committed' && old !== 'committed') judgeCommit(world, before, after, row)
    if (row.state === 'aborted' && old === 'writing') judgeAbort(world, row)
  }
  const taken = is.owner !== null && is.owner !== was.owner
  if (taken && was.owner !== null)
    for (const machine of machinesOf(world))
      if (machine.host === was.owner && isAlive(world, machine))
        violate(world, `the project was taken from machine ${machine.name}, which is alive`)
  const headMoved = is.head !== was.head && ![...after.rows.values()].some((row) => committedIn(before, row))
  const rolledBack = headMoved && is.life === 'live' && was.life === 'live'
  const reborn = was.life === 'purged' && is.life === 'live'
  if (taken || rolledBack || reborn || was.life !== is.life)
    changePasts(world, {
      lost: true,
      ...(rolledBack && { rolledBack }),
      ...(reborn && { earlierLife: true }),
    })
  if (world.mover && world.mover.epoch !== is.epoch) world.mover = null
  // What the store had is the operator's to take away, and a dataset may go with it.
  if (is.life === 'purging' && was.life !== 'purging') forget(world, [...reachableTexts(world)].join(''))
}

const committedIn = (before: Project, row: WriteRow): boolean =>
  row.state === 'committed' && before.rows.get(row.writeId)?.state !== 'committed'

function judgeCommit(world: World, before: Project, after: Project, row: WriteRow): void {
  const { writeId } = row
  const plan = world.writes[writeId]
  if (world.blobs.get(writeId)?.data.toString() !== row.to)
    violate(world, `write ${writeId} was committed without its chunk`)
  if (before.statics.life !== 'live')
    violate(world, `write ${writeId} was committed into a project that is ${before.statics.life}`)
  if (!plan) return
  if (plan.past.earlierLife) violate(world, `write ${writeId} of an earlier life was committed`)
  if (row.side) return
  if (plan.past.rolledBack) violate(world, `the operator's rollback was undone by write ${writeId}`)
  const { epoch } = after.statics
  if (world.mover?.epoch === epoch && world.mover.machine !== plan.machine)
    violate(
      world,
      `machines ${world.mover.machine} and ${plan.machine} both moved the head in epoch ${epoch}`,
    )
  world.mover = { epoch, machine: plan.machine }
  const { head } = before.statics
  if (head !== null && !row.to.startsWith(head))
    violate(world, `write ${writeId} moved the head from ${head} to ${row.to}, which knows nothing of it`)
}

function judgeAbort(world: World, row: WriteRow): void {
  if (world.project.statics.life !== 'live') return
  const machine = machinesOf(world).find((each) => sessionOf(each) === row.session)
  if (!machine || !isAlive(world, machine) || row.session === aborter(world)) return
  if (world.tasks[machine.name]?.what.endsWith(row.writeId))
    violate(world, `write ${row.writeId} was ended under machine ${machine.name}, which is still at it`)
}

/** Called when a save was reported as failed. */
export function judgeRefusal(world: World, writeId: WriteId): void {
  const row = world.project.rows.get(writeId)
  if (row && row.committedAtMs !== null)
    violate(world, `write ${writeId} happened, and was reported as failed`)
}

/** The session whose step it is. */
const aborter = (world: World): string | undefined => {
  const machine = world.machines[world.turn as MachineName]
  return machine && sessionOf(machine)
}

function isAlive(world: World, machine: Machine): boolean {
  const row = world.hosts.get(machine.host)
  return machine.up && machine.counts && row?.state === 'live' && row.session === sessionOf(machine)
}

export const machinesOf = (world: World): Machine[] => Object.values(world.machines)

function changePasts(world: World, change: Partial<Past>): void {
  const changed = <Thing extends { readonly past: Past }>(thing: Thing): Thing => ({
    ...thing,
    past: { ...thing.past, ...change },
  })
  for (const machine of machinesOf(world))
    world.machines[machine.name] = {
      ...machine,
      dataset: machine.dataset && changed(machine.dataset),
      opening: machine.opening && { ...machine.opening, ...change },
      aside: machine.aside.map(changed),
    }
  world.writes = Object.fromEntries(
    Object.entries(world.writes).map(([writeId, write]) => [writeId, changed(write)]),
  )
}

/** Called with each new state. */
export function judgeState(world: World): void {
  const { project } = world
  const { head, life } = project.statics
  if ((life === 'live' || life === 'destroyed') && head !== null && !reachableTexts(world).has(head))
    violate(world, `the head ${head} can't be reached over committed writes whose chunks are there`)
  for (const row of project.rows.values())
    if (row.state === 'committed' && !world.blobs.has(row.writeId))
      violate(world, `write ${row.writeId} is committed and its chunk is gone`)
  const lost = lostLetters(world)
  if (lost) violate(world, `what was written (${lost}) is in no reachable point and in no dataset`)
}

/** Letters that are nowhere any more. */
export function lostLetters(world: World): string {
  const kept = new Set(heldTexts(world).join(''))
  return [...world.written].filter((letter) => !kept.has(letter)).join('')
}

/** What an operator's hand or a lost pool took with it is not the store's to keep. */
export const excuse = (world: World): void => forget(world, lostLetters(world))

function forget(world: World, letters: string): void {
  world.written = [...world.written].filter((letter) => !letters.includes(letter)).join('')
}

function heldTexts(world: World): string[] {
  const { life } = world.project.statics
  const restorable = life === 'live' || life === 'destroyed' ? [...reachableTexts(world)] : []
  return [...restorable, ...machinesOf(world).flatMap((machine) => datasetsOf(machine).flatMap(textsOf))]
}

const datasetsOf = ({ dataset, aside }: Machine): Dataset[] => (dataset ? [dataset, ...aside] : [...aside])
const textsOf = ({ live, snapshots }: Dataset): string[] => [live, ...snapshots]

const reachable = new WeakMap<Project, WeakMap<World['blobs'], ReadonlySet<Guid>>>()

function reachableTexts({ project, blobs }: World): ReadonlySet<Guid> {
  const ofProject = reachable.get(project) ?? new WeakMap<World['blobs'], ReadonlySet<Guid>>()
  reachable.set(project, ofProject)
  const known = ofProject.get(blobs)
  if (known) return known
  const paths = cheapestPaths(project.rows.values(), {
    usable: (row) => row.state === 'committed' && blobs.has(row.writeId),
  })
  const texts = new Set([...project.rows.values()].map((row) => row.to).filter(paths.reaches))
  ofProject.set(blobs, texts)
  return texts
}

/** Whether nothing is left to be done: all that users wrote can be restored, or waits for somebody outside. */
export function isSettled(world: World): boolean {
  if (world.project.statics.life !== 'live') return true
  const restorable = new Set([...reachableTexts(world)].join(''))
  return machinesOf(world).every(
    (machine) =>
      machine.stopped ||
      datasetsOf(machine)
        .filter(({ past }) => !past.earlierLife)
        .every((dataset) => [...dataset.live].every((letter) => restorable.has(letter))),
  )
}
