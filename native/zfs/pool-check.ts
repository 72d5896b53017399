/** What of a pool differs from what projects want, each with the command that mends it. */
import { commandLine } from './errors.ts'
import { type Property, properties } from './get.ts'
import type { DatasetName, PoolName } from './names.ts'
import { type PoolState, poolState } from './pool.ts'
import type { RunOptions } from './run.ts'
import { type PoolWishes, type Wanted, wantedProperties } from './wanted.ts'
import type { Zfs } from './zfs.ts'

export interface Difference {
  /** The property, or what else it is about. */
  readonly what: string
  readonly found: string
  readonly wanted: string
  readonly why: string
  /** To be typed by somebody who has thought about it. */
  readonly command: string
  /** Projects are at risk, and not only slower or larger. */
  readonly serious: boolean
}

export interface Checked {
  readonly state: PoolState
  /** The serious ones first; none: as wanted. */
  readonly differences: readonly Difference[]
}

const FULL_PERCENT = 90
const NOT_SERIOUS = ['capacity', 'compression', 'atime', 'xattr', 'acltype', 'dnodesize']

/** Wanted of the parent itself, whatever this ZFS is. */
const OF_PARENT: readonly Wanted[] = [
  { name: 'canmount', value: 'off', also: ['noauto'], why: 'only projects are mounted' },
  { name: 'mountpoint', value: 'none', why: 'what is below it must not mount by itself' },
  { name: 'readonly', value: 'off', why: 'nobody could write to a project' },
]

/** Rejects with `pool-missing` where it is not imported. Changes nothing. */
export async function poolCheck(
  zfs: Zfs,
  pool: PoolName,
  parent: DatasetName,
  { recordBytes, sync, ...run }: PoolWishes & RunOptions = {},
): Promise<Checked> {
  const wishes = { ...(recordBytes !== undefined && { recordBytes }), ...(sync !== undefined && { sync }) }
  const wanted = [...wantedProperties(zfs.capabilities, wishes), ...OF_PARENT]
  const state = await poolState(zfs, pool, run)
  const names = wanted.map(({ name }) => name)
  const values = await properties(zfs, parent, names, run)
  const differences = [
    ...ofPool(state),
    ...(values ? ofParent(parent, values, wanted) : [missing(parent, wanted)]),
  ]
  return { state, differences: differences.sort((a, b) => Number(b.serious) - Number(a.serious)) }
}

function difference(what: string, found: string, wanted: string, why: string, command: string): Difference {
  const isMeantQuicker = what === 'sync' && wanted === 'disabled'
  return { what, found, wanted, why, command, serious: !NOT_SERIOUS.includes(what) && !isMeantQuicker }
}

function* ofPool({ pool, health, readOnly, altroot, capacityPercent }: PoolState): Generator<Difference> {
  const anew = `zpool export ${pool} && tidepool pool import ${pool}`
  if (health !== 'ONLINE')
    yield difference(
      'health',
      health,
      'ONLINE',
      'a device has failed or is missing',
      `zpool status -v ${pool}`,
    )
  if (readOnly)
    yield difference('pool', 'read-only', 'writable', 'nothing in it can be opened or saved', anew)
  if (altroot !== undefined)
    yield difference('altroot', altroot, 'none', 'projects would be mounted below it', anew)
  if (capacityPercent >= FULL_PERCENT)
    yield difference(
      'capacity',
      `${capacityPercent}%`,
      `below ${FULL_PERCENT}%`,
      'a full pool is slow, and saves fail in it',
      `zpool list ${pool}`,
    )
}

function* ofParent(
  parent: DatasetName,
  values: ReadonlyMap<string, Property>,
  wanted: readonly Wanted[],
): Generator<Difference> {
  for (const { name, value, also = [], shownAs, why } of wanted) {
    const { value: is, source } = values.get(name) ?? { value: '-', source: '-' }
    const good =
      name === 'recordsize'
        ? Number(is) <= Number(value)
        : [value, ...also].some((word) => is === word || is.startsWith(`${word}-`)) ||
          (is === shownAs && source !== 'default')
    if (!good) yield difference(name, is, value, why, commandLine('zfs', ['set', `${name}=${value}`, parent]))
  }
}

/** Made with all that is wanted: what is above it may be somebody else's, and stays as it is. */
function missing(parent: DatasetName, wanted: readonly Wanted[]): Difference {
  const set = wanted
    .filter(({ name }) => name !== 'readonly')
    .flatMap(({ name, value }) => ['-o', `${name}=${value}`])
  const command = commandLine('zfs', ['create', ...set, parent])
  return difference(parent, 'missing', 'there', 'projects live below it', command)
}
