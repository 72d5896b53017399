/**
 * Sets aside what the pool has of a project and what may not be its present state: under another name, unmounted, whole.
 * Nothing is merged, nothing destroyed.
 */
import { rename, setProperties } from '../../native/zfs/dataset.ts'
import { unmount } from '../../native/zfs/mount.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { asideName, WHY_PROPERTY } from './names.ts'
import type { Resident } from './resident.ts'

export interface SetAside {
  readonly name: DatasetName
  readonly why: string
}

/** Rejects with `dataset-busy` where somebody is in it; then it stays as it was. */
export async function setAside(
  host: ProjectHost,
  there: Resident,
  why: string,
  { signal }: ActOptions = {},
): Promise<SetAside> {
  const run = signal ? { signal } : {}
  await unmount(host.zfs, there.name, run)
  const name = asideName(host.parent, there.id)
  // A full pool takes no property, and must not keep it where it is.
  await setProperties(host.zfs, there.name, { [WHY_PROPERTY]: oneLine(why) }, run).catch(() => {})
  // Nobody finds it under its new name to end that.
  await host.writable?.(there.id, { signal }).catch(() => {})
  signal?.throwIfAborted()
  await rename(host.zfs, there.name, name, run)
  return { name, why }
}

/** As ZFS takes it for a property, and lists can show it. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, 1000)
