/** A daemon of a test's own over a fake ZFS and a store in memory, and a client that asks it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Refusal } from '../../daemon/auth/caller.ts'
import { Client } from '../../daemon/client/client.ts'
import { configInPlace } from '../../daemon/config/in-place.ts'
import { parseConfig } from '../../daemon/config/read.ts'
import type { Config } from '../../daemon/config/schema.ts'
import { Daemon, ownersSocketOf, socketOf } from '../../daemon/daemon.ts'
import type { Log } from '../../daemon/log/log.ts'
import { type Clock, systemClock } from '../../pipeline/base/clock.ts'
import { fixedLimiter, type Limiter } from '../../pipeline/limit/limiter.ts'
import { retryScope } from '../../pipeline/limit/retry.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import type { OpenedStore, OpenOptions } from '../../pipeline/stores/open.ts'
import { retrying } from '../../pipeline/stores/retrying.ts'
import { type FakeZfs, withFakeZfs } from './fake-zfs.ts'
import { faultyStore } from './faulty-store.ts'

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
  /** Around the store in memory. */
  readonly openStore?: (store: Store, onAttempt: OpenOptions['onAttempt']) => OpenedStore
}

export const quickLimiter = (): Limiter => fixedLimiter({ count: 8, maxBytes: 64 * 2 ** 20 })

/** Its waits are as short as a timer can be. */
export const INSTANT: Clock = {
  ...systemClock,
  sleep: (_ms: number, signal?: AbortSignal) => systemClock.sleep(0, signal),
}

export const openedInMemory = (store: Store = memoryStore()): OpenedStore => ({
  store,
  limiter: quickLimiter(),
  close: async () => {},
})

/** For `withDaemon`: the first puts of chunks are refused, and tried again at once. */
export function refusingPuts(times: number): NonNullable<WithDaemonOptions['openStore']> {
  let left = times
  return (store, onAttempt) =>
    openedInMemory(
      retrying(
        faultyStore(store, (call) => (call === 'put' && left-- > 0 ? 'refused' : undefined)),
        { scope: retryScope({ clock: INSTANT, random: () => 0 }), onAttempt },
      ),
    )
}

export const withDaemon = (
  body: (setting: DaemonSetting) => Promise<void>,
  { config: more = [], log, openStore = openedInMemory }: WithDaemonOptions = {},
): Promise<void> =>
  withFakeZfs(async (fake) => {
    const at = (name: string): string => join(fake.directory, name)
    const configFile = at('etc/tidepool.yaml')
    await mkdir(at('etc'))
    const text = configInPlace(fake.directory, { store: 'dir:/unused', dataset: fake.parent }, [
      ...(more.some((line) => line.startsWith('evict:')) ? [] : ['evict: {afterCommit: 0s}']),
      ...more,
    ])
    await writeFile(configFile, text)
    const config = parseConfig(text, configFile)
    const store = memoryStore()
    const refusals: Refusal[] = []
    const refused = (refusal: Refusal): void => void refusals.push(refusal)
    const startWith = (wanted: Config): Promise<Daemon> =>
      Daemon.start(wanted, undefined, {
        openStore: async (_url, { onAttempt } = {}) => openStore(store, onAttempt),
        zfs: fake.zfs,
        refused,
        configFile,
        ...(log && { log }),
      })
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
