/** What the configuration says to the engine, at its start and whenever it was changed. */
import { COMMAND_DEFAULTS, type CommandSettings } from '../../native/zfs/settings.ts'
import type { EngineSettings } from '../projects/engine-parts.ts'
import type { Config } from './schema.ts'

export const engineSettings = ({
  keep,
  save,
  restore,
  takeover,
  onHostLoss,
  evict,
  unmount,
}: Config): EngineSettings => ({
  settings: {
    retention: keep,
    snapshotQuotaFactor: save.snapshotQuotaFactor,
    takeover,
    onHostLoss,
    evictAfterCommitMs: evict.afterCommit,
    maxRestored: restore.maxPoints,
  },
  residency: {
    highWatermark: evict.highWatermark,
    lowWatermark: evict.lowWatermark,
    idleGraceMs: evict.grace,
    unmountIdleAfterMs: unmount.idleAfter,
    ...(evict.maxResident !== undefined && { maxResident: evict.maxResident }),
    ...(evict.idleAfter !== undefined && { evictIdleAfterMs: evict.idleAfter }),
  },
  saves: { intervalMs: save.interval, atOnce: save.atOnce },
})

/** The commands of ZFS, as the configuration has them. */
export const zfsSettings = ({ zfs }: Pick<Config, 'zfs'>): Partial<CommandSettings> => ({
  lanes: { ...COMMAND_DEFAULTS.lanes, change: zfs.changes },
})
