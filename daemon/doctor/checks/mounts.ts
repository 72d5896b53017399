/** What else is mounted where projects are to appear, and who would see them there. */
import { SUBTYPE } from '../../../native/fuse/stale.ts'
import type { Mount } from '../../../native/mount/mountinfo.ts'
import { type Check, fail, ok, skipped, warn } from '../check.ts'
import { configOf } from '../world.ts'

const isAt = (directory: string, { mountPoint }: Mount): boolean =>
  mountPoint === '/' || directory === mountPoint || directory.startsWith(`${mountPoint}/`)

/** The mount that a directory is seen through, by its path alone: a look at it may hang. */
export const mountOf = (directory: string, mounts: readonly Mount[]): Mount | undefined =>
  mounts
    .filter((mount) => isAt(directory, mount))
    .reduce<Mount | undefined>(
      (best, mount) =>
        best === undefined || mount.mountPoint.length >= best.mountPoint.length ? mount : best,
      undefined,
    )

export const autofs: Check = {
  name: 'autofs',
  run: async (world) => {
    const config = configOf(world)
    if (!config) return skipped('no configuration')
    const { access, mounts: real } = config
    const all = await world.mounts()
    const inTheWay = all.find(
      (mount) =>
        mount.type === 'autofs' && mount.mountPoint !== '/' && [access, real].some((one) => isAt(one, mount)),
    )
    if (!inTheWay) return ok(`none at ${access}`)
    return fail(
      `${inTheWay.mountPoint} is served by an automounter, which would answer instead of us`,
      `take ${inTheWay.mountPoint} out of /etc/auto.master and the .automount units, then umount ${inTheWay.mountPoint}`,
    )
  },
}

/** Containers and services with mount namespaces of their own see a project that is mounted later only where the mount is shared. */
export const propagation: Check = {
  name: 'mount propagation',
  run: async (world) => {
    const config = configOf(world)
    if (!config) return skipped('no configuration')
    const mount = mountOf(config.mounts, await world.mounts())
    if (!mount) return skipped(`what ${config.mounts} is on cannot be seen`)
    if (mount.propagation.some((word) => word.startsWith('shared:')))
      return ok(`${mount.mountPoint} is shared`)
    return warn(
      `${mount.mountPoint} is not shared: containers that run already do not see projects mounted later`,
      `mount --make-rshared ${mount.mountPoint}`,
    )
  },
}

const UPDATEDB = '/etc/updatedb.conf'

/** The nightly look at every file would open every project that is listed. */
export const updatedb: Check = {
  name: 'updatedb',
  run: async (world) => {
    const config = configOf(world)
    if (!config) return skipped('no configuration')
    const text = await world.read(UPDATEDB)
    if (text === undefined) return skipped(`there is no ${UPDATEDB}`)
    const words = (name: string): string[] =>
      (new RegExp(`^\\s*${name}\\s*=\\s*"([^"]*)"`, 'm').exec(text)?.[1] ?? '').split(/\s+/)
    const { access, mounts } = config
    const isPruned = (path: string, type: string): boolean =>
      words('PRUNEFS').includes(type) || words('PRUNEPATHS').some((pruned) => within(path, pruned))
    const lacking = [
      ...(isPruned(access, `fuse.${SUBTYPE}`) ? [] : [access]),
      ...(isPruned(mounts, 'zfs') ? [] : [mounts]),
    ]
    if (lacking.length === 0) return ok(`leaves out ${access} and ${mounts}`)
    return warn(
      `it walks through ${lacking.join(' and ')} every night`,
      `sed -i 's|^ *PRUNEPATHS *= *"|&${lacking.join(' ')} |' ${UPDATEDB}`,
    )
  },
}

const within = (path: string, parent: string): boolean =>
  parent !== '' && (path === parent || path.startsWith(`${parent.replace(/\/$/, '')}/`))
