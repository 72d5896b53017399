/** The directory of the links, made where it is not there. */
import { mkdir } from 'node:fs/promises'
import { readMounts } from '../../native/mount/mountinfo.ts'

/** What is mounted there is served by another process, or by none any more: it is not to be touched from here. */
export async function makeRoot(root: string): Promise<void> {
  const isMounted = (await readMounts()).some(({ mountPoint }) => mountPoint === root)
  if (!isMounted) await mkdir(root, { recursive: true })
}
