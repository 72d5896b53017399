/** Where a checkout keeps its own pool, store and sockets: below `.tidepool/`, under names that no other checkout has. */
import { createHash } from 'node:crypto'
import { mkdir, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { childOf, datasetName, type PoolName, poolName } from '../../native/zfs/names.ts'
import { poolCreate } from '../../native/zfs/pool.ts'
import { poolImport } from '../../native/zfs/pool-import.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { errnoOf } from '../../pipeline/base/errors.ts'
import { initStore } from '../../pipeline/stores/open.ts'
import { readConfig } from '../config/read.ts'
import type { Config } from '../config/schema.ts'

export interface Checkout {
  readonly directory: string
  readonly pool: PoolName
  readonly image: string
  readonly configFile: string
}

export const accessPidFile = ({ directory }: Checkout): string => join(directory, 'access.pid')

const PARENT = 'projects'
/** Of the disk that the checkout is on: the file grows as it is used. */
const POOL_SHARE = 0.5
const LARGEST_POOL_BYTES = 20n * 2n ** 30n

export function checkoutAt(root: string): Checkout {
  const directory = join(root, '.tidepool')
  const mark = createHash('sha256').update(root).digest('hex').slice(0, 8)
  return {
    directory,
    pool: poolName(`tidepool-${mark}`),
    image: join(directory, 'pool.img'),
    configFile: join(directory, 'tidepool.yaml'),
  }
}

/** Everything that a first start makes and every other one finds; resolves with the configuration and what was made. */
export async function prepare(
  root: string,
  zfs: Zfs,
  signal: AbortSignal,
): Promise<{ readonly config: Config; readonly made: readonly string[] }> {
  const { directory, pool, image, configFile } = checkoutAt(root)
  const made: string[] = []
  await mkdir(directory, { recursive: true, mode: 0o711 })
  const text = [
    '# Made by the first start of this checkout; change what you like.',
    `store: dir:${join(directory, 'store')}`,
    `dataset: ${childOf(datasetName(pool), PARENT)}`,
    `access: ${join(root, 'projects')}`,
    `mounts: ${join(directory, 'mnt')}`,
    `state: ${join(directory, 'state')}`,
    `run: ${join(directory, 'run')}`,
    'page: {port: 0}',
    '# To try it out: what was saved may leave the pool at once.',
    'evict: {afterCommit: 0s}',
    '',
  ].join('\n')
  if (await written(configFile, text)) made.push(`${configFile}`)
  const config = await readConfig(configFile)
  if (config.store.startsWith('dir:'))
    made.push(...(await initStore(config.store, { signal })).filter(isNews))
  if (await hasPool(zfs, pool, image, directory, signal)) made.push(`made the pool ${pool} in ${image}`)
  return { config, made }
}

const isNews = (line: string): boolean => line.startsWith('made')

/** False where it was there: what somebody changed in it stays. */
async function written(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Imported where it is not; true where it was made. */
async function hasPool(
  zfs: Zfs,
  pool: PoolName,
  image: string,
  directory: string,
  signal: AbortSignal,
): Promise<boolean> {
  const exists = await stat(image).then(
    () => true,
    (error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return false
      throw error
    },
  )
  if (exists) {
    await poolImport(zfs, pool, { directory, signal })
    return false
  }
  const { bavail, bsize } = await statfs(directory, { bigint: true })
  const share = (bavail * bsize * BigInt(POOL_SHARE * 100)) / 100n
  const fileBytes = share < LARGEST_POOL_BYTES ? share : LARGEST_POOL_BYTES
  await poolCreate(zfs, { pool, device: image, fileBytes, parent: PARENT, signal })
  return true
}
