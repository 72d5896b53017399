/** What the checks may look at: this machine, its ZFS, its store, its daemon. Tests hand in one of their own. */
import type { Mount } from '../../native/mount/mountinfo.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import type { Config } from '../config/schema.ts'

export interface Space {
  readonly freeBytes: bigint
  readonly totalBytes: bigint
  readonly freeInodes: bigint
  /** 0 where the file system makes them as they are needed. */
  readonly totalInodes: bigint
}

export interface World {
  readonly configFile: string
  /** Why there is none, where there is none. */
  readonly config: Config | { readonly error: unknown }
  readonly uid: number
  readonly nodeVersion: string
  readonly nowMs: () => number
  /** A file of /etc, /proc or /sys; undefined where there is none. */
  readonly read: (file: string) => Promise<string | undefined>
  /** Whether this user may read and write it. */
  readonly mayUse: (file: string) => Promise<boolean>
  /** Where a program is found. */
  readonly program: (name: string) => Promise<string | undefined>
  /** Of the file system that a directory is, or would be, on. */
  readonly space: (directory: string) => Promise<Space>
  readonly mounts: () => Promise<readonly Mount[]>
  readonly loadAddon: () => Promise<unknown>
  /** Rejects where it does not answer; asked once for all checks. */
  readonly zfs: () => Promise<Zfs>
  readonly store: () => Promise<Store>
  /** What a file system says when a file was just written in the directory. */
  readonly fileTimeMs: (directory: string) => Promise<number>
  /** Until when the certificate is good that is shown there. */
  readonly peerCertificateEndMs: (host: string, port: number, signal: AbortSignal) => Promise<number>
  readonly askDaemon: <Answer>(path: string, signal: AbortSignal) => Promise<Answer>
  readonly answersWalks: (root: string) => Promise<boolean>
}

export const configOf = ({ config }: World): Config | undefined => ('error' in config ? undefined : config)
