/** A pool of a test's own on the real ZFS of this machine: on a file, with a name by which leftovers are known. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { whileBusy } from '../../native/zfs/busy.ts'
import { type Capabilities, findCapabilities } from '../../native/zfs/capabilities.ts'
import { type DatasetName, datasetName, poolName } from '../../native/zfs/names.ts'
import { poolCreate } from '../../native/zfs/pool.ts'
import { Commands } from '../../native/zfs/run.ts'
import type { CommandSettings } from '../../native/zfs/settings.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { hideShown } from './shown.ts'

export interface RealZfs {
  readonly zfs: Zfs
  readonly parent: DatasetName
  readonly mounts: string
  readonly directory: string
}

let made = 0
/** The same for all pools of a machine, and five commands to find out. */
let capabilities: Promise<Capabilities> | undefined

export async function withPool(
  body: (world: RealZfs) => Promise<void>,
  { fileBytes = 512n * 2n ** 20n, ...settings }: { fileBytes?: bigint } & Partial<CommandSettings> = {},
): Promise<void> {
  const directory = await mkdtemp('/var/tmp/tidepool-test-pool-')
  const commands = new Commands(settings)
  capabilities ??= findCapabilities(commands)
  const zfs = { commands, capabilities: await capabilities }
  made += 1
  const pool = poolName(`tidepool-test-${process.pid}-${made}`)
  try {
    const parent = await poolCreate(zfs, {
      pool,
      device: join(directory, 'pool.img'),
      fileBytes,
      parent: 'projects',
    })
    await body({ zfs, parent, mounts: join(directory, 'mnt'), directory })
  } finally {
    const mounted = (await readMounts()).filter(({ source }) => source.startsWith(`${pool}/`))
    for (const { source } of mounted.reverse())
      await zfs.commands.change('zfs', ['unmount', source]).catch(() => {})
    await hideShown(directory)
    const root = datasetName(pool)
    await whileBusy(zfs, root, () => zfs.commands.change('zpool', ['destroy', '-f', pool]))
    await rm(directory, { recursive: true, force: true })
  }
}
