/** What actors may begin in a state: a machine's daemon and its heartbeat, the scrub, the operator, the mirror. */
import type { WriteId } from '../../pipeline/base/ids.ts'
import { savesAs } from '../../pipeline/graph/descent.ts'
import { isReachable } from '../../pipeline/graph/plan.ts'
import type { Rules } from '../../pipeline/graph/rules.ts'
import type { WriteRow } from '../../pipeline/graph/state.ts'
import { machinesOf } from './judge.ts'
import * as daemon from './machine.ts'
import * as others from './others.ts'
import { EVICTS, evict, reopen } from './residents.ts'
import {
  type Dataset,
  type Machine,
  machineOf,
  may,
  newestOf,
  type Place,
  sessionOf,
  setMachine,
  spend,
  type World,
} from './world.ts'

export type ScrubWork = 'supersedes' | 'condemns' | 'sweeps' | 'ends what is stale'

/** What of the scenario stays as it is. */
export interface Play {
  readonly rules: Rules
  readonly scrubs: readonly ScrubWork[]
  /** Saves start from the oldest base, too. */
  readonly bases: boolean
}

/** Something that an actor may begin now. */
export interface Beginning {
  readonly place: Place
  /** A session's second start of the same thing is the same story; another session's is not. */
  readonly session?: string
  readonly what: string
  readonly program: (tools: daemon.Tools) => Promise<daemon.Outcome>
  readonly begun?: (world: World) => void
}

export function* beginnings(world: World, play: Play): Generator<Beginning> {
  for (const machine of machinesOf(world)) {
    const self = { name: machine.name, host: machine.host, session: sessionOf(machine) }
    for (const beginning of ofMachine(world, machine, self, play))
      yield { ...beginning, session: self.session }
  }
  if (world.project.statics.life === 'live')
    for (const [work, program] of scrubWork(world, play))
      if (play.scrubs.includes(work)) yield { place: 'scrub', what: work, program }
  yield* ofOperator(world)
  if (may(world, 'reads'))
    yield { place: 'mirror', what: 'reads', program: others.mirror, begun: (next) => spend(next, 'reads') }
}

function* ofMachine(world: World, machine: Machine, self: daemon.Self, play: Play): Generator<Beginning> {
  const { name, up, counts, stopped, dataset, host } = machine
  const heart: Place = `${name} heartbeat`
  if (!up || stopped) return
  if (!counts) {
    if (!world.tasks[heart])
      yield { place: name, what: 'registers', program: (tools) => daemon.register(tools, self) }
    return
  }
  const row = world.hosts.get(host)
  const lost = row?.state !== 'live' || row.session !== self.session
  if (lost || may(world, 'renew'))
    yield {
      place: heart,
      what: 'renews itself',
      program: (tools) => daemon.beat(tools, self),
      begun: (next) => lost || spend(next, 'renew'),
    }
  if (may(world, 'dead'))
    for (const other of world.hosts.values())
      if (other.host !== host && other.state === 'live')
        yield {
          place: heart,
          what: `finds ${other.host} dead`,
          program: (tools) => daemon.declareDead(tools, other.host),
          begun: (next) => spend(next, 'dead'),
        }
  if (world.project.statics.life !== 'live') return
  if (dataset) yield* ofDataset(world, machine, dataset, self, play)
  else if (machine.opens > 0 && mayOpen(world, host, play))
    yield {
      place: name,
      what: 'opens',
      program: (tools) => daemon.open(tools, self),
      begun: (next) => setMachine(next, name, { opens: machineOf(next, name).opens - 1 }),
    }
}

/** Others are refused after two reads, which changes nothing. */
function mayOpen({ project, hosts }: World, host: Machine['host'], { rules }: Play): boolean {
  const { owner } = project.statics
  return owner === null || owner === host || hosts.get(owner)?.state !== 'live' || !rules.takeDead
}

function* ofDataset(
  world: World,
  { name, host }: Machine,
  dataset: Dataset,
  self: daemon.Self,
  play: Play,
): Generator<Beginning> {
  const { rules, bases, scrubs } = play
  if (scrubs.includes('sweeps') && failedSaves(world) >= MOST_FAILED_SAVES) return
  const { head } = world.project.statics
  const asHead = savesAs(world.project, daemon.descentOf(host, dataset), rules) === 'head'
  const saving = function* (base: daemon.Base, begun?: Beginning['begun']): Generator<Beginning> {
    const writeId = freshWriteId(world, name)
    const what = `saves from ${base} as ${writeId}`
    const program: Beginning['program'] = (tools) => daemon.save(tools, self, writeId, base)
    yield { place: name, what, program, ...(begun && { begun }) }
  }
  if (!asHead || dataset.live !== newestOf(dataset) || newestOf(dataset) !== head) {
    yield* saving('newest base')
    if (bases && dataset.snapshots.length > 1) yield* saving('oldest base')
  }
  if (asHead && head !== null && may(world, 'compact'))
    yield* saving('nothing', (next) => spend(next, 'compact'))
  if (asHead && dataset.mounted && may(world, 'move'))
    yield {
      place: name,
      what: 'moves it away',
      program: (tools) => daemon.move(tools, self),
      begun: (next) => spend(next, 'move'),
    }
  if (dataset.mounted && may(world, 'evict'))
    yield {
      place: name,
      what: EVICTS,
      program: (tools) => evict(tools, self),
      begun: (next) => spend(next, 'evict'),
    }
  if (may(world, 'reopen') && !(asHead && dataset.mounted) && mayOpen(world, host, play)) {
    const writeId = freshWriteId(world, name)
    yield {
      place: name,
      what: `opens what it has, saving it as ${writeId}`,
      program: (tools) => reopen(tools, self, writeId),
      begun: (next) => spend(next, 'reopen'),
    }
  }
}

/** More failures in a row show nothing new: the scrub comes by in between. */
const MOST_FAILED_SAVES = 2

const failedSaves = ({ project }: World): number =>
  [...project.rows.values()].filter(({ state }) => state === 'aborted' || state === 'deleted').length

/** The smallest that nothing names any more, so that states do not differ by how many writes have failed. */
function freshWriteId({ project, blobs, late, writes }: World, name: string): WriteId {
  for (let number = 1; ; number++) {
    const id = `${name}${number}` as WriteId
    const isNamed =
      project.rows.has(id) ||
      blobs.has(id) ||
      id in writes ||
      late.some(({ transaction }) => mentions(transaction, id))
    if (!isNamed) return id
  }
}

export const mentions = ({ rows }: World['late'][number]['transaction'], id: WriteId): boolean =>
  rows.some((change) => (change.kind === 'insert' ? change.row.writeId : change.writeId) === id)

function* scrubWork(world: World, play: Play): Generator<[ScrubWork, Beginning['program']]> {
  const rows = [...world.project.rows.values()]
  const has = (...states: WriteRow['state'][]) => rows.filter((row) => states.includes(row.state))
  if (others.superfluousOf(world.project, play).length > 0) yield ['supersedes', others.supersede]
  if (has('superseded').length > 0) yield ['condemns', others.condemn]
  if (has('deleting', 'aborted').some(({ writeId }) => world.blobs.has(writeId)))
    yield ['sweeps', others.sweep]
  if (has('writing').some((row) => isOver(world, row))) yield ['ends what is stale', others.endStale]
}

function isOver({ hosts }: World, { host, session }: WriteRow): boolean {
  const row = hosts.get(host)
  return row !== undefined && (row.state !== 'live' || row.session !== session)
}

function* ofOperator(world: World): Generator<Beginning> {
  const { project } = world
  const { head, life } = project.statics
  const order = (
    budget: 'rollback' | 'destroy' | 'undelete' | 'purge' | 'recreate',
    what: string,
    program: Beginning['program'],
  ): Beginning[] =>
    may(world, budget) ? [{ place: 'operator', what, program, begun: (next) => spend(next, budget) }] : []
  if (life === 'live') {
    const points = new Set([...project.rows.values()].filter((row) => !row.side).map((row) => row.to))
    for (const to of points)
      if (to !== head && isReachable(project, to))
        yield* order('rollback', `rolls back to ${to}`, (tools) => others.rollBack(tools, to))
    yield* order('destroy', 'destroys', others.destroy)
  }
  if (life === 'destroyed') yield* order('undelete', 'undeletes', others.undelete)
  if (life === 'destroyed' || life === 'purging') yield* order('purge', 'purges', others.purge)
  const owner = machinesOf(world).at(-1)
  if (life === 'purged' && owner)
    yield* order('recreate', 're-creates', (tools) => others.recreate(tools, owner.host))
}
