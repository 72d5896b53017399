/** A daemon over a pool of a test's own on the real ZFS, with its store in memory; asked by the command. */
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { parseConfig } from '../../daemon/config/read.ts'
import { Daemon, socketOf } from '../../daemon/daemon.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { type Ran, tidepool } from './command.ts'
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
    const at = (name: string): string => join(directory, name)
    const config = parseConfig(
      [
        'store: dir:/unused',
        `dataset: ${parent}`,
        `access: ${at('projects')}`,
        `mounts: ${at('mnt')}`,
        `state: ${at('state')}`,
        `run: ${at('run')}`,
        'evict: {afterCommit: 0s}',
        ...more,
      ].join('\n'),
      'test.yaml',
    )
    const limiter = fixedLimiter({ count: 8, maxBytes: 64 * 2 ** 20 })
    const opened = { store: memoryStore(), limiter, close: async () => {} }
    const daemon = await Daemon.start(config, undefined, { openStore: async () => opened, zfs })
    try {
      await body({ daemon, run: (...args) => tidepool(['--socket', socketOf(config), ...args]) })
    } finally {
      await daemon.stop()
    }
  })
