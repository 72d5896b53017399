/** What a killed daemon has shown to owners stays mounted, and a directory with a mount in it can't be removed. */
import { readMounts } from '../../native/mount/mountinfo.ts'
import { hideView } from '../../native/mount/read-only-view.ts'

export async function hideShown(directory: string): Promise<void> {
  for (const { mountPoint } of await readMounts())
    if (mountPoint.startsWith(`${directory}/`) && mountPoint.endsWith('/owners')) await hideView(mountPoint)
}
