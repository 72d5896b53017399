/** What real zfs commands printed, recorded once for each version. */
import { readFileSync } from 'node:fs'
import type { UsageTexts } from '../../native/zfs/capabilities.ts'

export const recordedVersions = ['zfs-fuse-0.7.0', 'zfs-2.1.11', 'zfs-2.3.2'] as const
export type RecordedVersion = (typeof recordedVersions)[number]

export interface Recordings {
  readonly usage: UsageTexts & { readonly version: string }
  /** Whole outputs of `zfs get` and `zfs list`. */
  readonly gets: readonly { id: string; cmd: string; exit: number; stdout: string; stderr: string }[]
  /** Complaints, one an entry of `said`, each with the code that it has to get. */
  readonly messages: readonly { id: string; cmd: string; said: readonly { text: string; code: string }[] }[]
}

export function recordings(version: RecordedVersion): Recordings {
  return JSON.parse(readFileSync(new URL(`../fixtures/zfs/${version}.json`, import.meta.url), 'utf8'))
}
