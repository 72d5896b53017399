/** What a demonstration with projects needs of this machine, and a pool of its own on it. */
import { randomBytes } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadAddon } from '../../native/fuse/addon.ts'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { hideView } from '../../native/mount/read-only-view.ts'
import { whileBusy } from '../../native/zfs/busy.ts'
import { unmount } from '../../native/zfs/mount.ts'
import { datasetName, poolName } from '../../native/zfs/names.ts'
import { poolCreate } from '../../native/zfs/pool.ts'
import { openZfs, type Zfs } from '../../native/zfs/zfs.ts'
import { codeOf, messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { initStore } from '../../pipeline/stores/open.ts'
import { endAccess } from '../access/supervise.ts'
import { ownersDirectoryOf } from '../auth/owners.ts'
import { configInPlace } from '../config/in-place.ts'
import { parseConfig } from '../config/read.ts'
import type { Config } from '../config/schema.ts'

const POOL_BYTES = 128n * 2n ** 20n

export const accessPidFile = (place: string): string => join(place, 'access.pid')
const poolFile = (place: string): string => join(place, 'pool')

/** Rejects with `demo-needs` before anything is made. */
export async function whatIsNeeded(signal: AbortSignal): Promise<Zfs> {
  const lacks = (what: string, how: string, cause?: unknown): TidepoolError =>
    new TidepoolError('demo-needs', `this machine lacks what projects need: ${what}`, {
      hint: `${how} Without any of it: tidepool demo --streams`,
      cause,
    })
  if (process.getuid?.() !== 0) throw lacks('root', 'Run it as root (sudo tidepool demo).')
  const fuse = await stat('/dev/fuse').catch(() => undefined)
  if (!fuse) throw lacks('/dev/fuse', 'modprobe fuse; in a container, give it the device.')
  await loadAddon().catch((error: unknown) => {
    throw lacks(messageOf(error), 'apt-get install libfuse2.', error)
  })
  return openZfs({}, { signal }).catch((error: unknown) => {
    throw lacks(
      'a ZFS that answers',
      'modprobe zfs, or apt-get install zfs-fuse and start it; npm start in a checkout does.',
      error,
    )
  })
}

/** A pool on a file, a store, a configuration; all of it in the place, under names that nobody else has. */
export async function setUp(place: string, zfs: Zfs, signal: AbortSignal): Promise<Config> {
  const pool = poolName(`tidepool-demo-${randomBytes(4).toString('hex')}`)
  // Before the pool: what is not written down is not found by whoever cleans up.
  await writeFile(poolFile(place), pool)
  const device = join(place, 'pool.img')
  const parent = await poolCreate(zfs, { pool, device, fileBytes: POOL_BYTES, parent: 'projects', signal })
  const text = configInPlace(place, { store: `dir:${join(place, 'store')}`, dataset: parent }, [
    'evict: {afterCommit: 0s}',
  ])
  const config = parseConfig(text, 'the configuration of the demonstration')
  await initStore(config.store, { signal })
  return config
}

/** Takes away all that a demonstration, also a killed one, has mounted and made; its place stays. No signal ends it. */
export async function tearDown(place: string): Promise<void> {
  await endAccess({ root: join(place, 'projects'), pidFile: accessPidFile(place) })
  await hideView(ownersDirectoryOf(join(place, 'run')))
  const pool = (await readFile(poolFile(place), 'utf8').catch(() => '')).trim()
  if (!/^tidepool-demo-[0-9a-f]{8}$/.test(pool)) return
  const zfs = await openZfs()
  const below = (await readMounts()).filter(({ source }) => source.startsWith(`${pool}/`))
  for (const { source } of below.reverse()) await unmount(zfs, datasetName(source))
  const root = datasetName(poolName(pool))
  await whileBusy(zfs, root, () => zfs.commands.change('zpool', ['destroy', pool])).catch(
    (error: unknown) => {
      // It was killed before it was made, or after it was destroyed.
      if (codeOf(error) !== 'pool-missing') throw error
    },
  )
}
