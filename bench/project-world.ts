/** What benches of projects stand on: a host with a pool of its own on a real ZFS, in front of a directory store. */
import { join } from 'node:path'
import type { ProjectHost } from '../daemon/projects/host.ts'
import { liveName } from '../daemon/projects/names.ts'
import { destroyDataset, destroySnapshot, snapshot } from '../native/zfs/dataset.ts'
import { Launcher } from '../native/zfs/launcher.ts'
import { unmount } from '../native/zfs/mount.ts'
import { type DatasetName, snapshotOf } from '../native/zfs/names.ts'
import { Commands } from '../native/zfs/run.ts'
import type { Zfs } from '../native/zfs/zfs.ts'
import type { ProjectId } from '../pipeline/base/ids.ts'
import { GIB } from '../pipeline/base/units.ts'
import { openStore } from '../pipeline/stores/open.ts'
import { projectHost } from '../test/support/project-host.ts'
import { needs } from '../test/support/runner/needs.ts'
import { withPool } from '../test/support/zfs-pool.ts'
import { run } from './child.ts'
import { tidepool } from './files.ts'
import type { Settings } from './report.ts'

export interface BenchWorld {
  readonly host: ProjectHost
  /** Where the store keeps each project's streams. */
  readonly stored: string
}

/** The file of the pool grows as it is written, so this is only what it may come to. */
const POOL_BYTES = 8n * BigInt(GIB)

export async function withBenchWorld(
  { scratch }: Settings,
  body: (world: BenchWorld) => Promise<void>,
): Promise<void> {
  const zfs = await needs.zfs(new AbortController().signal)
  if ('missing' in zfs) throw new Error(`no ZFS: ${zfs.missing}`)
  try {
    await withPool(
      async (pool) => {
        const root = join(scratch, 'store')
        await run(tidepool('--store', `dir:${root}`, 'store', 'init'))
        const opened = await openStore(`dir:${root}`)
        const launcher = new Launcher()
        // As a daemon runs them.
        const commands = new Commands(pool.zfs.commands.settings, { launcher })
        try {
          const world = { ...pool, zfs: { ...pool.zfs, commands } }
          const host = { ...(await projectHost(world, opened.store)), limiter: opened.limiter }
          await body({ host, stored: join(root, 'projects') })
        } finally {
          launcher.end()
          await opened.close()
        }
      },
      { fileBytes: POOL_BYTES },
    )
  } finally {
    await zfs.end()
  }
}

/** What was written to a dataset is on its disk: making a snapshot waits for that, and so does what comes after it. */
export async function settle(zfs: Zfs, dataset: DatasetName): Promise<void> {
  const made = await snapshot(zfs, snapshotOf(dataset, 'settled'))
  await destroySnapshot(zfs, made.name, made.guid)
  await run(['sync'])
}

/** Out of the pool, without a proof: the store has it. */
export async function drop({ zfs, parent }: ProjectHost, id: ProjectId): Promise<void> {
  await unmount(zfs, liveName(parent, id))
  await destroyDataset(zfs, liveName(parent, id), { withSnapshots: true })
}

export async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  const startedMs = performance.now()
  const result = await work()
  return { seconds: (performance.now() - startedMs) / 1000, result }
}
