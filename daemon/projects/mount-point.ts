/** Where projects are mounted: a directory of root's, passed through by everybody and listed by nobody. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type MountOptions, mount } from '../../native/zfs/mount.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { ActOptions, ProjectHost } from './host.ts'

const ROOT_MODE = 0o711

export const mountPointOf = ({ mountRoot }: ProjectHost, id: ProjectId): string => join(mountRoot, id)

export async function mountProject(
  { zfs, mountRoot }: ProjectHost,
  name: DatasetName,
  { signal, mountpoint }: ActOptions & Pick<MountOptions, 'mountpoint'> = {},
): Promise<string> {
  await mkdir(mountRoot, { recursive: true, mode: ROOT_MODE })
  return mount(zfs, name, { ...(signal && { signal }), ...(mountpoint !== undefined && { mountpoint }) })
}
