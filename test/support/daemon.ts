/** A daemon of a test's own over a fake ZFS and a store in memory, and a client that asks it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Refusal } from '../../daemon/auth/caller.ts'
import { Client } from '../../daemon/client/client.ts'
import { parseConfig } from '../../daemon/config/read.ts'
import type { Config } from '../../daemon/config/schema.ts'
import { Daemon, ownersSocketOf, socketOf } from '../../daemon/daemon.ts'
import type { Log } from '../../daemon/log/log.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { type FakeZfs, withFakeZfs } from './fake-zfs.ts'

export interface DaemonSetting {
  readonly client: Client
  readonly daemon: Daemon
  readonly config: Config
  readonly socket: string
  readonly ownersSocket: string
  /** What was refused so far. */
  readonly refusals: Refusal[]
  readonly fake: FakeZfs
  readonly again: () => Promise<Daemon>
  readonly startWith: (config: Config) => Promise<Daemon>
  /** Its configuration, watched. */
  readonly configFile: string
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
    const configFile = at('tidepool.yaml')
    const text = [
      'store: dir:/unused',
      `dataset: ${fake.parent}`,
      `access: ${at('projects')}`,
      `mounts: ${at('mnt')}`,
      `state: ${at('state')}`,
      `run: ${at('run')}`,
      'evict: {afterCommit: 0s}',
      ...more,
    ].join('\n')
    await writeFile(configFile, text)
    const config = parseConfig(text, configFile)
    const store = memoryStore()
    const limiter = fixedLimiter({ count: 8, maxBytes: 64 * 2 ** 20 })
    const opened = { store, limiter, close: async () => {} }
    const refusals: Refusal[] = []
    const refused = (refusal: Refusal): void => void refusals.push(refusal)
    const startWith = (wanted: Config): Promise<Daemon> =>
      Daemon.start(wanted, undefined, { opened, zfs: fake.zfs, refused, configFile, ...(log && { log }) })
    const start = (): Promise<Daemon> => startWith(config)
    const daemon = await start()
    const socket = socketOf(config)
    const ownersSocket = ownersSocketOf(config)
    const client = new Client({ socket, limitMs: 30_000, restartMs: 0 })
    try {
      await body({
        client,
        daemon,
        config,
        socket,
        ownersSocket,
        refusals,
        fake,
        again: start,
        startWith,
        configFile,
      })
    } finally {
      await daemon.stop()
    }
  })
