/** Unmounts a project under its users; where that is refused, the error says by which command it is done all the same. */
import type { Holder } from '../../native/mount/holders.ts'
import { unmount } from '../../native/zfs/mount.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import type { Resident } from './resident.ts'

/** As `unmount`. */
export async function unmountUsers(
  { zfs }: Pick<ProjectHost, 'zfs'>,
  { id, name }: Pick<Resident, 'id' | 'name'>,
  { signal }: ActOptions = {},
): Promise<boolean> {
  try {
    return await unmount(zfs, name, signal ? { signal } : {})
  } catch (error) {
    if (!(error instanceof TidepoolError) || error.code !== 'dataset-busy') throw error
    const { message, temporary, facts, cause } = error
    throw new TidepoolError(error.code, message, {
      hint: whatHelps(id, facts.holders),
      temporary,
      facts,
      cause,
    })
  }
}

/** Who is in a mount namespace of its own is spared by `--kill`: it would hold the mount there also without its files open. */
function whatHelps(id: string, holders: unknown): string {
  const spared = Array.isArray(holders) && holders.some(({ how }: Holder) => how === 'namespace')
  if (spared)
    return `They are in a mount namespace of their own: end them, or their service, by hand. \`tidepool status ${id}\` names them.`
  return `When they have left it, try again; \`tidepool close ${id} --kill\` ends them, for operators.`
}
