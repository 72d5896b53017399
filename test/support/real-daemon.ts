/** A daemon over a pool of a test's own on the real ZFS, with its store in memory; asked by the command. */
import { chmod } from 'node:fs/promises'
import { configInPlace } from '../../daemon/config/in-place.ts'
import { parseConfig } from '../../daemon/config/read.ts'
import { Daemon, socketOf } from '../../daemon/daemon.ts'
import { type Ran, tidepool } from './command.ts'
import { openedInMemory } from './daemon.ts'
import { withPool } from './zfs-pool.ts'

export interface RealDaemon {
  readonly daemon: Daemon
  readonly run: (...args: string[]) => Promise<Ran>
}

/** `more`: lines of its configuration. */
export const withRealDaemon = (
  body: (setting: RealDaemon) => Promise<void>,
  more: readonly string[] = [],
): Promise<void> =>
  withPool(async ({ zfs, parent, directory }) => {
    // Users pass through to their projects.
    await chmod(directory, 0o711)
    const lines = ['evict: {afterCommit: 0s}', ...more]
    const config = parseConfig(
      configInPlace(directory, { store: 'dir:/unused', dataset: parent }, lines),
      'test.yaml',
    )
    const openStore = async () => openedInMemory()
    const daemon = await Daemon.start(config, undefined, { openStore, zfs })
    try {
      await body({ daemon, run: (...args) => tidepool(['--socket', socketOf(config), ...args]) })
    } finally {
      await daemon.stop()
    }
  })
