/** How commands are run, and which. */
import type { LaneName } from './lanes.ts'

export interface CommandSettings {
  /** The executables: names looked for in the PATH, or absolute paths. */
  readonly zfs: string
  readonly zpool: string
  /** How many of each sort at a time. */
  readonly lanes: Readonly<Record<LaneName, number>>
  /** How long one command may take; a stream is limited by `silenceLimitMs` instead. */
  readonly readLimitMs: number
  readonly changeLimitMs: number
  /** How long a stream may stand still while the other side waits for it. */
  readonly silenceLimitMs: number
  /** From SIGTERM to SIGKILL. */
  readonly termGraceMs: number
  /** From SIGKILL to giving up: what has not ended then is in the kernel's hands. */
  readonly killGraceMs: number
  /** How long a dataset may be called busy, with nothing to be seen that uses it, before that is believed. */
  readonly busyLimitMs: number
  /** Where it is read what is mounted. */
  readonly mountInfo: string
}

/**
 * Changes of one pool end in the same transaction group whatever is done at once: four are about what an open on zfs-fuse has to set
 * of a new dataset, each by a command, and so waits for one such group and not for three. A destroy of many snapshots can take minutes
 * on disks.
 */
export const COMMAND_DEFAULTS: CommandSettings = {
  zfs: 'zfs',
  zpool: 'zpool',
  lanes: { read: 8, change: 4, send: 8, receive: 8 },
  readLimitMs: 60_000,
  changeLimitMs: 10 * 60_000,
  silenceLimitMs: 10 * 60_000,
  termGraceMs: 5_000,
  killGraceMs: 5_000,
  // zfs-fuse keeps saying "busy" for seconds after an unmount, up to a minute under load.
  busyLimitMs: 90_000,
  mountInfo: '/proc/self/mountinfo',
}
