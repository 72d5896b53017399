/** Pools for projects: how one is made and what is known of it. */
import { rm } from 'node:fs/promises'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { create } from './dataset.ts'
import { ZfsError } from './errors.ts'
import { bytesOf, exists, properties } from './get.ts'
import { childOf, type DatasetName, datasetName, type PoolName } from './names.ts'
import { checkDevice, makePoolFile } from './pool-device.ts'
import type { RunOptions } from './run.ts'
import { type PoolWishes, wantedProperties } from './wanted.ts'
import type { Zfs } from './zfs.ts'

export interface PoolCreateOptions extends PoolWishes, RunOptions {
  readonly pool: PoolName
  /** A whole device or partition, or a file, by its absolute path. */
  readonly device: string
  /** Makes a file of this size at `device`, for trying it out; it must not exist. */
  readonly fileBytes?: bigint
  /** Sectors of 2^ashift bytes; it can never be changed. */
  readonly ashift?: number
  /** The dataset below which projects live: its last part. */
  readonly parent: string
}

/** 4 KiB: right for nearly every disk made since 2010, and for SSDs. */
export const DEFAULT_ASHIFT = 12
/** Above it zfs-fuse makes a pool whose first write stands still for ever. */
const MOST_ASHIFT = { openzfs: 16, 'zfs-fuse': 13 } as const

/**
 * Makes the pool and its parent dataset; resolves with that. Never by force: a device that is in use or has something on it,
 * and a file that exists, are refused with `device-in-use`. Where it rejects, there is no pool, and no file that it made;
 * unless it was ended in the middle and the pool is there, or nobody can tell: then it stays with its file.
 */
export async function poolCreate(zfs: Zfs, options: PoolCreateOptions): Promise<DatasetName> {
  const { pool, device, fileBytes, ashift = DEFAULT_ASHIFT, signal } = options
  const run = signal ? { signal } : {}
  if (!device.startsWith('/'))
    throw new TidepoolError('bad-value', `${JSON.stringify(device)} is no absolute path`, {
      hint: 'Give the whole path of the device.',
    })
  const mostAshift = MOST_ASHIFT[zfs.capabilities.flavour]
  if (!Number.isInteger(ashift) || ashift < 9 || ashift > mostAshift)
    throw new TidepoolError('bad-value', `ashift ${ashift} is not from 9 to ${mostAshift}`, {
      hint: '12 is right for nearly all disks.',
    })
  const root = datasetName(pool)
  const parent = childOf(root, options.parent)
  if (options.parent.includes('/'))
    throw new TidepoolError('bad-name', `${parent} is not right below its pool`, {
      hint: 'Give one name without slashes.',
    })
  // Before zpool, which says the same only after a file was made.
  if (await exists(zfs, root, run))
    throw new TidepoolError('pool-exists', `there is a pool ${pool} already`, {
      hint: `\`tidepool pool check ${pool}\` tells whether it is right for projects; else choose another name.`,
    })
  const set = wantedProperties(zfs.capabilities, options).flatMap(({ name, value }) => [
    '-O',
    `${name}=${value}`,
  ])
  if (fileBytes === undefined) await checkDevice(device)
  else await makePoolFile(device, fileBytes)
  const removeFile = async (): Promise<void> => {
    if (fileBytes !== undefined) await rm(device, { force: true })
  }
  try {
    const unmounted = ['-O', 'canmount=off', '-O', 'mountpoint=none']
    await zfs.commands.change(
      'zpool',
      ['create', '-o', `ashift=${ashift}`, ...unmounted, ...set, pool, device],
      run,
    )
  } catch (error) {
    if (wasRefused(error) || !(await mayBeThere(zfs, pool, error))) await removeFile()
    throw error
  }
  try {
    await create(zfs, parent, { canmount: 'off' }, run)
  } catch (error) {
    // Nothing can be in it yet, and by its name it is ours: it was made two lines above.
    await zfs.commands.change('zpool', ['destroy', pool]).catch((left: unknown) => {
      throw leftBehind(pool, error, left)
    })
    await removeFile()
    throw error
  }
  return parent
}

function leftBehind(pool: PoolName, cause: unknown, left: unknown): TidepoolError {
  const why = (error: unknown): string => (error instanceof Error ? error.message : String(error))
  return new TidepoolError(
    'pool-unfinished',
    `pool ${pool} was made, but not what belongs in it: ${why(cause)}; nor can it be destroyed: ${why(left)}`,
    { cause, hint: `\`zpool status -v ${pool}\` shows what is wrong with it; destroy it by hand.` },
  )
}

/** It ended by itself, and said no. */
const wasRefused = (error: unknown): boolean =>
  error instanceof ZfsError && typeof error.facts.exit === 'number'

/** A command that was killed may have done its deed before, and one that cannot be killed may do it yet. */
async function mayBeThere(zfs: Zfs, pool: PoolName, error: unknown): Promise<boolean> {
  if (codeOf(error) === 'zfs-stuck') return true
  return exists(zfs, datasetName(pool)).catch(() => true)
}

export interface PoolState {
  readonly pool: PoolName
  /** `ONLINE`, `DEGRADED`, `FAULTED`, ... as zpool says. */
  readonly health: string
  /** Imported so that nothing can be changed; zfs-fuse has no such thing. */
  readonly readOnly: boolean
  /** What stands before all its mountpoints until it is exported. */
  readonly altroot: string | undefined
  readonly guid: string
  readonly capacityPercent: number
  readonly usedBytes: bigint
  readonly availableBytes: bigint
}

/** Rejects with `pool-missing` where it is not imported. */
export async function poolState(zfs: Zfs, pool: PoolName, options: RunOptions = {}): Promise<PoolState> {
  const columns = `health,guid,capacity,altroot${zfs.capabilities.flavour === 'openzfs' ? ',readonly' : ''}`
  const listed = zfs.commands.read('zpool', ['list', '-H', '-o', columns, pool], options)
  const line = await listed.catch((error: unknown) => {
    throw codeOf(error) === 'pool-missing' ? notImported(pool, error) : error
  })
  const [health = '', guid = '', capacity = '', altroot = '-', readOnly] = line.trimEnd().split('\t')
  // `zpool list` has no exact numbers everywhere; `zfs get` has, and they are what projects can use.
  const sizes = await properties(zfs, datasetName(pool), ['used', 'available'], options)
  return {
    pool,
    health,
    readOnly: readOnly === 'on',
    altroot: altroot === '-' ? undefined : altroot,
    guid,
    capacityPercent: Number.parseInt(capacity, 10) || 0,
    usedBytes: (sizes && bytesOf(sizes, 'used')) ?? 0n,
    availableBytes: (sizes && bytesOf(sizes, 'available')) ?? 0n,
  }
}

function notImported(pool: PoolName, cause: unknown): TidepoolError {
  return new TidepoolError('pool-missing', `no pool ${pool} is imported here`, {
    cause,
    hint: `\`zpool list\` shows those that are; \`tidepool pool import ${pool}\` imports it.`,
  })
}
