/** What users, hands and fate do, and late transactions that land. */
import { excuse, machinesOf } from './judge.ts'
import type { Move } from './moves.ts'
import { EVICTS } from './residents.ts'
import { land } from './steps.ts'
import { type Machine, may, type Place, setDataset, setMachine, spend, type World } from './world.ts'

export function* accidents(world: World): Generator<Move> {
  for (const [index, { transaction }] of world.late.entries())
    yield { label: `late: ${transaction.what}`, happen: (next) => land(next, index) }
  for (const machine of machinesOf(world)) yield* ofOutside(world, machine)
}

/** What users, hands and fate do to a machine. */
function* ofOutside(world: World, machine: Machine): Generator<Move> {
  const { name, up, stopped, dataset, letters } = machine
  const letter = letters[0]
  // While a task runs it makes no difference when a letter comes: the next snapshot is the next task's. But for an evict.
  const task = world.tasks[name]
  if (dataset?.mounted && letter && (!task || task.what === EVICTS))
    yield {
      label: `${name}: the user writes ${letter}`,
      happen(next) {
        setMachine(next, name, { letters: letters.slice(1) })
        setDataset(next, name, { live: dataset.live + letter })
        next.written += letter
      },
    }
  if (!up) {
    if (!stopped)
      yield {
        label: `${name}: starts`,
        happen(next) {
          setMachine(next, name, { up: true, sessions: machine.sessions + 1 })
          setDataset(next, name, { mounted: true })
        },
      }
    return
  }
  if (may(world, 'crash')) yield* crashes(world, name)
  if (dataset && may(world, 'pool'))
    yield {
      label: `${name}: loses its pool`,
      happen(next) {
        spend(next, 'pool')
        abandon(next, name)
        setMachine(next, name, { dataset: null, opening: null })
        excuse(next)
      },
    }
  if (dataset && may(world, 'hand'))
    for (const [index, snapshot] of dataset.snapshots.slice(0, -1).entries())
      yield {
        label: `${name}: zfs rollback -r by hand to ${snapshot}`,
        happen(next) {
          spend(next, 'hand')
          const snapshots = dataset.snapshots.slice(0, index + 1)
          setDataset(next, name, { snapshots, live: snapshot, past: { ...dataset.past, byHand: true } })
          excuse(next)
        },
      }
}

function abandon(world: World, place: Place): void {
  delete world.tasks[place]
  world.late = world.late.map((late) => (late.from === place ? { ...late, from: null } : late))
}

function* crashes(world: World, name: Machine['name']): Generator<Move> {
  const request = world.tasks[name]?.story.turn.request
  const crash = (next: World): void => {
    spend(next, 'crash')
    abandon(next, name)
    abandon(next, `${name} heartbeat`)
    setMachine(next, name, { up: false, counts: false, opening: null })
  }
  yield { label: `${name}: crashes`, happen: crash }
  if (request?.kind !== 'apply') return
  yield {
    label: `${name}: crashes while it sends: ${request.label}`,
    happen(next) {
      crash(next)
      next.late = [...next.late, { from: null, transaction: request.transaction, over: false }]
    },
  }
}
