/** Where a walk starts, and what may happen on it. */
import type { Guid, HostId, SessionId, WriteId } from '../../pipeline/base/ids.ts'
import type { Rules } from '../../pipeline/graph/rules.ts'
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import type { HostRow } from '../../pipeline/hosts/state.ts'
import type { Play, ScrubWork } from './beginnings.ts'
import { manifestOf } from './machine.ts'
import { CHUNK_BYTES } from './requests.ts'
import { RESIDENT_SCENARIOS } from './resident-scenarios.ts'
import {
  type Budget,
  type Dataset,
  type Machine,
  type MachineName,
  PROJECT,
  UNTOUCHED,
  type World,
} from './world.ts'

export interface Scenario {
  /** What A's user will write. */
  readonly a?: string
  /** What the user of the other machine will write. */
  readonly b?: string
  readonly opensA?: number
  readonly opensB?: number
  /** C is a copy of A's machine, host id and pool included, instead of B. */
  readonly twin?: boolean
  readonly scrubs?: readonly ScrubWork[]
  readonly bases?: boolean
  readonly left?: Partial<Record<Budget, number>>
}

const EVERYTHING = ['supersedes', 'condemns', 'sweeps', 'ends what is stale'] as const

export const SCENARIOS = {
  save: { a: 'a', scrubs: EVERYTHING, bases: true, left: { lost: 1, compact: 1 } },
  read: { a: 'a', scrubs: EVERYTHING, left: { compact: 1, reads: 1 } },
  crash: { a: 'a', scrubs: EVERYTHING, left: { lost: 1, crash: 1, silent: 1 } },
  pool: { a: 'ab', opensA: 1, left: { lost: 1, pool: 1 } },
  take: { a: 'a', b: 'x', opensB: 1, left: { lost: 1, dead: 1 } },
  return: { a: 'a', opensB: 1, left: { dead: 1, crash: 1 } },
  renew: { opensB: 1, left: { lost: 1, dead: 1, renew: 1 } },
  side: { a: 'a', opensB: 1, scrubs: ['supersedes'], left: { dead: 1, pool: 1 } },
  fork: { a: 'a', b: 'x', opensB: 1, left: { dead: 1 } },
  stale: { a: 'a', scrubs: ['sweeps', 'ends what is stale'], left: { dead: 1 } },
  move: { a: 'a', b: 'x', opensA: 1, opensB: 1, left: { lost: 1, move: 1 } },
  rollback: { a: 'a', scrubs: EVERYTHING, left: { lost: 1, rollback: 1 } },
  destroy: { a: 'a', left: { lost: 1, destroy: 1, undelete: 1, compact: 1 } },
  purge: { a: 'a', left: { lost: 1, destroy: 1, purge: 1 } },
  recreate: { a: 'a', b: 'x', opensB: 1, left: { destroy: 1, purge: 1, recreate: 1 } },
  hand: { a: 'a', scrubs: EVERYTHING, left: { hand: 1, lost: 1 } },
  twin: { a: 'a', b: 'x', twin: true },
  ...RESIDENT_SCENARIOS,
} satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof SCENARIOS

const A = 'A' as HostId

export function playOf(scenario: Scenario, rules: Rules): Play {
  return { rules, scrubs: scenario.scrubs ?? [], bases: scenario.bases ?? false }
}

/** One project with two streams, open on A and saved. */
export function firstWorld(scenario: Scenario): World {
  const { a = '', b = '', opensA = 0, opensB = 0, twin = false, left = {} } = scenario
  const rows = [committed('f0', null, '1'), committed('f1', '1', '12')]
  const machines: World['machines'] = {
    A: machine('A', { dataset: opened(twin), letters: a, opens: opensA }),
  }
  if (twin)
    machines.C = machine('C', {
      host: A,
      up: false,
      counts: false,
      sessions: 0,
      dataset: opened(twin),
      letters: b,
    })
  else machines.B = machine('B', { letters: b, opens: opensB })
  const hosts = Object.values(machines)
    .filter(({ up }) => up)
    .map(hostRow)
  return {
    project: project(rows),
    hosts: new Map(hosts.map((row) => [row.host, row])),
    blobs: new Map(rows.map((row) => [row.writeId, { data: Buffer.from(row.to), digest: Buffer.alloc(0) }])),
    machines,
    tasks: {},
    late: [],
    left,
    written: '12',
    mover: null,
    writes: {},
    turn: null,
    violation: null,
  }
}

function project(rows: readonly WriteRow[]): Project {
  return {
    id: PROJECT,
    statics: {
      life: 'live',
      owner: A,
      epoch: 1n,
      rev: 1n,
      born: 1n,
      head: '12' as Guid,
      kept: {},
      quotaBytes: null,
      properties: {},
      uid: null,
      gid: null,
      lifeAtMs: 0,
    },
    rows: new Map(rows.map((row) => [row.writeId, row])),
  }
}

function committed(id: string, from: string | null, to: string): WriteRow {
  return {
    writeId: id as WriteId,
    from: from as Guid | null,
    to: to as Guid,
    host: A,
    session: 'A#0' as SessionId,
    side: false,
    state: 'committed',
    chunkBytes: CHUNK_BYTES,
    seqHigh: 1,
    begunAtMs: 0,
    changedAtMs: 0,
    committedAtMs: 0,
    manifest: manifestOf({ to: to as Guid }),
  }
}

const opened = (byHand: boolean): Dataset => ({
  snapshots: ['1', '12'] as Guid[],
  live: '12',
  openedEpoch: 1n,
  mounted: true,
  past: { ...UNTOUCHED, byHand },
})

const machine = (name: MachineName, set: Partial<Machine>): Machine => ({
  name,
  host: name as string as HostId,
  sessions: 1,
  up: true,
  counts: true,
  stopped: false,
  dataset: null,
  opening: null,
  aside: [],
  letters: '',
  opens: 0,
  ...set,
})

const hostRow = ({ name, host, sessions }: Machine): HostRow => ({
  host,
  session: `${name}#${sessions}` as SessionId,
  state: 'live',
  renewSeq: 1n,
  returning: false,
  name,
  process: null,
  changedAtMs: 0,
})
