/** Texts that are equal where states are: short, because there are millions of them. */
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import type { HostRow } from '../../pipeline/hosts/state.ts'
import type { Dataset, Machine, Past, World } from './world.ts'

const numbers = new Map<string, number>()
/** A small number instead of a long text. */
function numbered(text: string): number {
  const known = numbers.get(text)
  if (known !== undefined) return known
  numbers.set(text, numbers.size)
  return numbers.size - 1
}

/** Values are never changed, so what was computed of one stays true. */
function remembered<Value extends object>(compute: (value: Value) => number): (value: Value) => number {
  const known = new WeakMap<Value, number>()
  return (value) => {
    let key = known.get(value)
    if (key === undefined) {
      key = compute(value)
      known.set(value, key)
    }
    return key
  }
}

const text = (value: unknown): string =>
  JSON.stringify(value, (_name, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner))

const rowKey = remembered((row: WriteRow) => numbered(text({ ...row, manifest: row.manifest !== null })))

export const projectKey = remembered(({ statics, rows }: Project) =>
  numbered(text([statics, [...rows.values()].map(rowKey).sort((a, b) => a - b)])),
)
export const hostKey = remembered((row: HostRow) => numbered(text(row)))
const hostsKey = remembered((hosts: World['hosts']) => numbered([...hosts.values()].map(hostKey).join()))
const blobsKey = remembered((blobs: World['blobs']) => numbered([...blobs.keys()].sort().join()))
const pastKey = (past: Past): string =>
  [past.lost, past.rolledBack, past.earlierLife, past.byHand].map(Number).join('')
const datasetKey = remembered(({ snapshots, live, openedEpoch, mounted, past }: Dataset) =>
  numbered([...snapshots, live, openedEpoch, mounted, pastKey(past)].join()),
)
const machineKey = remembered((machine: Machine) => {
  const { dataset, opening, aside, ...rest } = machine
  return numbered(
    text([rest, dataset && datasetKey(dataset), opening && pastKey(opening), aside.map(datasetKey)]),
  )
})
const writesKey = remembered((writes: World['writes']) => numbered(text(writes)))
const lateKey = remembered((late: World['late'][number]) => numbered(text(late)))

export function worldKey(world: World): string {
  const { project, hosts, blobs, machines, tasks, late, left, written, mover, writes } = world
  return [
    projectKey(project),
    hostsKey(hosts),
    blobsKey(blobs),
    ...Object.values(machines).map(machineKey),
    ';',
    ...Object.entries(tasks).map(([place, task]) => `${place}${task.story.id}`),
    ';',
    ...late.map(lateKey).sort((a, b) => a - b),
    ';',
    ...Object.values(left),
    written,
    mover ? `${mover.machine}${mover.epoch}` : '',
    writesKey(writes),
  ].join(',')
}

export function answerKey(value: unknown): string {
  if (value === undefined) return '-'
  if (typeof value === 'object' && value !== null) {
    if ('statics' in value) return `p${projectKey(value as Project)}`
    if ('renewSeq' in value) return `h${hostKey(value as HostRow)}`
  }
  return text(value)
}
