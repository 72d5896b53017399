/** A daemon of a test's own over a fake ZFS and a store in memory, and a client that asks it. */
import { join } from 'node:path'
import { Client } from '../../daemon/client/client.ts'
import { parseConfig } from '../../daemon/config/read.ts'
import { Daemon, socketOf } from '../../daemon/daemon.ts'
import type { Log } from '../../daemon/log/log.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { type FakeZfs, withFakeZfs } from './fake-zfs.ts'

export interface DaemonSetting {
  readonly client: Client
  readonly daemon: Daemon
  readonly socket: string
  readonly fake: FakeZfs
  readonly again: () => Promise<Daemon>
}

export interface WithDaemonOptions {
  /** Lines of YAML. */
  readonly config?: readonly string[]
  readonly log?: Log
}

export const withDaemon = (
  body: (setting: DaemonSetting) => Promise<void>,
  { config: more = [], log }: WithDaemonOptions = {},
): Promise<void> =>
  withFakeZfs(async (fake) => {
    const at = (name: string): string => join(fake.directory, name)
    const config = parseConfig(
      [
        'store: dir:/unused',
        `dataset: ${fake.parent}`,
        `access: ${at('projects')}`,
        `mounts: ${at('mnt')}`,
        `state: ${at('state')}`,
        `run: ${at('run')}`,
        'evict: {afterCommit: 0s}',
        ...more,
      ].join('\n'),
      'test.yaml',
    )
    const store = memoryStore()
    const limiter = fixedLimiter({ count: 8, maxBytes: 64 * 2 ** 20 })
    const opened = { store, limiter, close: async () => {} }
    const start = (): Promise<Daemon> =>
      Daemon.start(config, undefined, { opened, zfs: fake.zfs, ...(log && { log }) })
    const daemon = await start()
    const socket = socketOf(config)
    try {
      await body({ client: new Client({ socket, limitMs: 30_000 }), daemon, socket, fake, again: start })
    } finally {
      await daemon.stop()
    }
  })
