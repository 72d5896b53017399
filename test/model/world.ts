/**
 * One state of everything that the model has: what the store holds, the machines with their datasets, transactions
 * that are still on their way, what each actor is at, and what may still go wrong. Values inside are never changed,
 * only replaced; `copyOf` copies one level.
 */
import type { Guid, HostId, ProjectId, SessionId, WriteId } from '../../pipeline/base/ids.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import type { Transaction } from '../../pipeline/graph/transaction.ts'
import type { HostRow } from '../../pipeline/hosts/state.ts'
import type { Chunk } from '../../pipeline/stores/contract.ts'
import type { Story } from './actor.ts'
import type { Request } from './requests.ts'

export const PROJECT = 'p' as ProjectId

/**
 * A dataset in some pool. What a user writes is single letters, each written once; a snapshot's GUID is the text
 * that it holds, so traces can be read.
 */
export interface Dataset {
  readonly snapshots: readonly Guid[]
  /** What is left of snapshots that went: enough for the next step, and to know the head by. */
  readonly bookmarks?: readonly Guid[]
  readonly live: string
  readonly openedEpoch: bigint
  readonly mounted: boolean
  readonly past: Past
}

/** What has happened to the project since a dataset was opened (or a write planned from it). For the judge only. */
export interface Past {
  /** Somebody took the project, or the operator moved its head or ended its life. */
  readonly lost: boolean
  readonly rolledBack: boolean
  readonly earlierLife: boolean
  /** The operator worked on the dataset by hand, or there is a twin of it. */
  readonly byHand: boolean
}

export const UNTOUCHED: Past = { lost: false, rolledBack: false, earlierLife: false, byHand: false }

export interface Machine {
  readonly name: MachineName
  readonly host: HostId
  /** How often its daemon started or registered anew; names its session. */
  readonly sessions: number
  readonly up: boolean
  /** Whether the daemon counts itself as a living host. */
  readonly counts: boolean
  /** Another session has its host id: it does not come back by itself. */
  readonly stopped: boolean
  readonly dataset: Dataset | null
  /** What happened since the plan by which a dataset is being received. */
  readonly opening: Past | null
  readonly aside: readonly Dataset[]
  /** What its user will still write. */
  readonly letters: string
  readonly opens: number
}

export type MachineName = 'A' | 'B' | 'C'
/** Each does one thing at a time. A machine's project and its heartbeat go side by side. */
export type Place = MachineName | `${MachineName} heartbeat` | 'scrub' | 'operator' | 'mirror'

export interface Task {
  readonly what: string
  readonly story: Story<Request>
}

/** A transaction whose answer was lost and which may still happen. */
export interface Late {
  /** Null once that is done with, or gone. */
  readonly from: Place | null
  readonly transaction: Transaction
  /** Whoever sent it was told, or concluded, that it did not happen and never will. */
  readonly over: boolean
}

export interface Write {
  readonly machine: MachineName
  readonly past: Past
}

export type Budget =
  | 'lost'
  | 'silent'
  | 'crash'
  | 'pool'
  | 'compact'
  | 'reads'
  | 'dead'
  | 'move'
  | 'rollback'
  | 'destroy'
  | 'undelete'
  | 'purge'
  | 'recreate'
  | 'hand'
  | 'renew'
  | 'evict'
  | 'reopen'

export interface World {
  project: Project
  hosts: ReadonlyMap<HostId, HostRow>
  blobs: ReadonlyMap<WriteId, Chunk>
  machines: Partial<Record<MachineName, Machine>>
  tasks: Partial<Record<Place, Task>>
  late: readonly Late[]
  left: Partial<Record<Budget, number>>
  /** Every letter that a user wrote, but for those that the operator or a lost pool took away for good. */
  written: string
  /** Who has moved the head under the present epoch. */
  mover: { readonly epoch: bigint; readonly machine: MachineName } | null
  writes: Readonly<Record<WriteId, Write>>
  /** Whose step this is. */
  turn: Place | null
  violation: string | null
}

export function copyOf(world: World): World {
  return {
    ...world,
    machines: { ...world.machines },
    tasks: { ...world.tasks },
    left: { ...world.left },
  }
}

export const sessionOf = ({ name, sessions }: Machine): SessionId => `${name}#${sessions}` as SessionId
export const newestOf = ({ snapshots }: Dataset): Guid => snapshots.at(-1) as Guid
/** A second snapshot of the same text has another GUID. */
export const textOf = (point: Guid): string => point.replace(/'$/, '')
export const isDirty = (dataset: Dataset): boolean => {
  const newest = newestOf(dataset)
  return newest === undefined || dataset.live !== textOf(newest)
}

export function machineOf(world: World, name: MachineName): Machine {
  const machine = world.machines[name]
  if (!machine) throw new Error(`this scenario has no machine ${name}`)
  return machine
}

export function setMachine(world: World, name: MachineName, set: Partial<Machine>): void {
  world.machines[name] = { ...machineOf(world, name), ...set }
}

export function setDataset(world: World, name: MachineName, set: Partial<Dataset>): void {
  const { dataset } = machineOf(world, name)
  if (dataset) setMachine(world, name, { dataset: { ...dataset, ...set } })
}

export function spend(world: World, budget: Budget): void {
  world.left[budget] = (world.left[budget] ?? 0) - 1
}

export const may = (world: World, budget: Budget): boolean => (world.left[budget] ?? 0) > 0
