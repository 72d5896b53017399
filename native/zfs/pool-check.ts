/** What of a pool differs from what projects want, each with the command that mends it. */
import { commandLine } from './errors.ts'
import { properties } from './get.ts'
import { type DatasetName, datasetName, type PoolName } from './names.ts'
import { poolState } from './pool.ts'
import type { RunOptions } from './run.ts'
import { type PoolWishes, wantedProperties } from './wanted.ts'
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

const FULL_PERCENT = 90
/** What is at risk, and not only slower, where it is not as wanted. */
const SERIOUS = ['recordsize', 'setuid', 'devices', 'canmount', 'mountpoint', 'sync', 'exists', 'health']

/** None: as wanted. Rejects with `pool-missing` where it is not imported. Changes nothing. */
export async function poolCheck(
  zfs: Zfs,
  pool: PoolName,
  parent: DatasetName,
  { recordBytes, sync, ...run }: PoolWishes & RunOptions = {},
): Promise<Difference[]> {
  const wishes: PoolWishes = {
    ...(recordBytes === undefined ? {} : { recordBytes }),
    ...(sync === undefined ? {} : { sync }),
  }
  const found: Difference[] = []
  const add = (what: string, is: string, wanted: string, why: string, command: readonly string[]): void => {
    const [program = '', ...args] = command
    found.push({
      what,
      found: is,
      wanted,
      why,
      command: commandLine(program, args),
      serious: SERIOUS.includes(what),
    })
  }
  const state = await poolState(zfs, pool, run)
  if (state.health !== 'ONLINE')
    add('health', state.health, 'ONLINE', 'a device has failed or is missing', [
      'zpool',
      'status',
      '-v',
      pool,
    ])
  if (state.capacityPercent >= FULL_PERCENT)
    add(
      'capacity',
      `${state.capacityPercent}%`,
      `below ${FULL_PERCENT}%`,
      'a full pool is slow, and saves fail in it',
      ['zpool', 'list', pool],
    )
  const wanted = [
    ...wantedProperties(zfs.capabilities, wishes),
    { name: 'canmount', value: 'off', also: ['noauto'], why: 'only projects are mounted' },
    { name: 'mountpoint', value: 'none', why: 'what is below it must not mount by itself' },
  ]
  const names = wanted.map(({ name }) => name)
  const root = datasetName(pool)
  const atParent = await properties(zfs, parent, names, run)
  if (atParent === undefined) {
    const command = ['zfs', 'create', '-o', 'canmount=off', '-o', 'mountpoint=none', parent]
    add('exists', `${parent} is missing`, `${parent}`, 'projects live below it', command)
  }
  // Where the parent is as wanted, the root above it does not matter.
  const [at, values] =
    atParent === undefined ? [root, await properties(zfs, root, names, run)] : [parent, atParent]
  for (const { name, value, why, ...more } of wanted) {
    const is = values?.get(name)?.value ?? '-'
    const fits = 'also' in more && more.also ? [value, ...more.also] : [value]
    const good =
      name === 'recordsize'
        ? Number(is) <= Number(value)
        : fits.some((word) => is === word || is.startsWith(`${word}-`))
    if (!good) add(name, is, value, why, ['zfs', 'set', `${name}=${value}`, at])
  }
  return found
}
