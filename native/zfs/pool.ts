/** Pools for projects: how one is made, imported and looked at. */
import { open, rm } from 'node:fs/promises'
import { codeOf, errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { humanBytes } from '../../pipeline/base/units.ts'
import { create } from './dataset.ts'
import { ZfsError } from './errors.ts'
import { bytesOf, exists, properties } from './get.ts'
import { childOf, type DatasetName, datasetName, type PoolName } from './names.ts'
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
const MIN_POOL_BYTES = 64n * 1024n * 1024n

/**
 * Makes the pool and its parent dataset; resolves with that. Never by force: a device with a pool or a file system on it is
 * refused with `device-in-use`. Where it rejects, there is no pool, and no file that it made; unless it was ended in the
 * middle and the pool is there, or nobody can tell: then it stays with its file.
 */
export async function poolCreate(zfs: Zfs, options: PoolCreateOptions): Promise<DatasetName> {
  const { pool, device, fileBytes, ashift = DEFAULT_ASHIFT, signal } = options
  const run = signal ? { signal } : {}
  if (!device.startsWith('/'))
    throw new TidepoolError('bad-value', `${JSON.stringify(device)} is no absolute path`, {
      hint: 'Give the whole path of the device.',
    })
  if (!Number.isInteger(ashift) || ashift < 9 || ashift > 16)
    throw new TidepoolError('bad-value', `ashift ${ashift} is not from 9 to 16`, {
      hint: '12 is right for nearly all disks.',
    })
  const parent = childOf(datasetName(pool), options.parent)
  if (fileBytes !== undefined) await makeFile(device, fileBytes)
  const removeFile = async (): Promise<void> => {
    if (fileBytes !== undefined) await rm(device, { force: true })
  }
  try {
    const set = wantedProperties(zfs.capabilities, options).flatMap(({ name, value }) => [
      '-O',
      `${name}=${value}`,
    ])
    const root = ['-O', 'canmount=off', '-O', 'mountpoint=none']
    await zfs.commands.change(
      'zpool',
      ['create', '-o', `ashift=${ashift}`, ...root, ...set, pool, device],
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
    await zfs.commands.change('zpool', ['destroy', pool])
    await removeFile()
    throw error
  }
  return parent
}

/** It ended by itself, and said no. */
const wasRefused = (error: unknown): boolean =>
  error instanceof ZfsError && typeof error.facts.exit === 'number'

/** A command that was killed may have done its deed before, and one that cannot be killed may do it yet. */
async function mayBeThere(zfs: Zfs, pool: PoolName, error: unknown): Promise<boolean> {
  if (codeOf(error) === 'zfs-stuck') return true
  return exists(zfs, datasetName(pool)).catch(() => true)
}

async function makeFile(path: string, bytes: bigint): Promise<void> {
  if (bytes < MIN_POOL_BYTES)
    throw new TidepoolError(
      'device-too-small',
      `a pool needs ${humanBytes(MIN_POOL_BYTES)}, not ${humanBytes(bytes)}`,
      {
        hint: 'Choose a larger size.',
      },
    )
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.truncate(Number(bytes))
    } finally {
      await file.close()
    }
  } catch (error) {
    if (errnoOf(error) === 'EEXIST')
      throw new TidepoolError('device-in-use', `${path} exists`, {
        cause: error,
        hint: 'Choose a path where nothing is yet.',
      })
    throw error
  }
}

/**
 * False where it was imported already. Nothing is mounted by it: by -N, and where this ZFS has no -N because no dataset of
 * ours has `canmount=on`.
 */
export async function poolImport(
  zfs: Zfs,
  pool: PoolName,
  { directory, ...options }: RunOptions & { directory?: string } = {},
): Promise<boolean> {
  if (await exists(zfs, datasetName(pool), options)) return false
  const unmounted = zfs.capabilities.importUnmounted ? ['-N'] : []
  const where = directory === undefined ? [] : ['-d', directory]
  try {
    await zfs.commands.change('zpool', ['import', ...unmounted, ...where, pool], options)
    return true
  } catch (error) {
    if (error instanceof ZfsError && error.code === 'pool-exists') return false
    throw error
  }
}

export interface PoolState {
  readonly pool: PoolName
  /** `ONLINE`, `DEGRADED`, `FAULTED`, ... as zpool says. */
  readonly health: string
  readonly guid: string
  readonly capacityPercent: number
  readonly usedBytes: bigint
  readonly availableBytes: bigint
}

/** Rejects with `pool-missing` where it is not imported. */
export async function poolState(zfs: Zfs, pool: PoolName, options: RunOptions = {}): Promise<PoolState> {
  const columns = 'name,health,guid,capacity'
  const line = (await zfs.commands.read('zpool', ['list', '-H', '-o', columns, pool], options)).trimEnd()
  const [, health = '', guid = '', capacity = ''] = line.split('\t')
  // `zpool list` has no exact numbers everywhere; `zfs get` has, and they are what projects can use.
  const sizes = await properties(zfs, datasetName(pool), ['used', 'available'], options)
  return {
    pool,
    health,
    guid,
    capacityPercent: Number.parseInt(capacity, 10) || 0,
    usedBytes: (sizes && bytesOf(sizes, 'used')) ?? 0n,
    availableBytes: (sizes && bytesOf(sizes, 'available')) ?? 0n,
  }
}
