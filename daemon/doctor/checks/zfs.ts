/** The ZFS of this machine, and the pool in which projects live. */
import type { Capabilities } from '../../../native/zfs/capabilities.ts'
import { datasetName, poolOf } from '../../../native/zfs/names.ts'
import { poolCheck } from '../../../native/zfs/pool-check.ts'
import type { Zfs } from '../../../native/zfs/zfs.ts'
import { codeOf, messageOf } from '../../../pipeline/base/errors.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import { notSupported, SYNC_DISABLED } from '../../projects/sync.ts'
import { type Check, type Finding, fail, ok, skipped, warn } from '../check.ts'
import { lastScrub } from '../last-scrub.ts'
import { configOf, type World } from '../world.ts'

const GET_ZFS =
  'modprobe zfs, or apt-get install zfsutils-linux zfs-dkms; to try it out: apt-get install zfs-fuse'

export const zfs: Check = {
  name: 'zfs',
  run: async (world) => {
    let capabilities: Capabilities
    try {
      capabilities = (await world.zfs()).capabilities
    } catch (error) {
      const hangs = ['zfs-timeout', 'zfs-stuck'].includes(codeOf(error) ?? '')
      return fail(messageOf(error), hangs ? 'look at dmesg and `zpool status`: a pool may hang' : GET_ZFS)
    }
    const { flavour, version } = capabilities
    if (flavour === 'zfs-fuse') return warn('zfs-fuse, in user space: for trying it out', GET_ZFS)
    return ok(`OpenZFS ${version ?? 'that does not tell its version'}`)
  },
}

const FEATURES: readonly (readonly [name: string, costs: string, has: (can: Capabilities) => boolean])[] = [
  ['written', 'every save looks through the project', (can) => can.written],
  ['bookmarks', 'a snapshot of each project has to stay', (can) => can.bookmarks],
  ['compressed sends', 'streams are larger', (can) => can.send.compressed],
  ['lz4', 'projects are larger', (can) => can.compression.lz4],
  ['sync', 'whether writes are durable cannot be chosen', (can) => can.sync],
]

export const features: Check = {
  name: 'zfs features',
  run: async (world) => {
    const found = await answering(world)
    if (!found) return skipped('the ZFS does not answer')
    const lacking = FEATURES.filter(([, , has]) => !has(found.capabilities))
    if (lacking.length === 0) return ok(FEATURES.map(([name]) => name).join(', '))
    const what = lacking.map(([name, costs]) => `${name} (${costs})`).join(', ')
    return warn(`it lacks ${what}`, 'install OpenZFS 2.1 or later')
  },
}

/** What `pool check` says, and space. */
export const pool: Check = {
  name: 'pool',
  run: async (world, signal) => {
    const [config, found] = [configOf(world), await answering(world)]
    if (!config) return skipped('no configuration')
    if (!found) return skipped('the ZFS does not answer')
    const parent = datasetName(config.dataset)
    const { sync } = config.zfs
    const wishes = found.capabilities.sync ? { sync } : {}
    const { state, differences } = await poolCheck(found, poolOf(parent), parent, { ...wishes, signal })
    const { health, availableBytes, capacityPercent } = state
    const space = `${humanBytes(availableBytes)} free, ${capacityPercent}% used`
    const findings = differences.map(({ what, found: is, wanted, why, command, serious }): Finding => {
      const text = `${what} is ${is}, wanted is ${wanted}: ${why}`
      return serious ? fail(text, command) : warn(text, command)
    })
    if (sync === 'disabled') findings.push(warn(SYNC_DISABLED, 'zfs: {sync: standard} in the configuration'))
    if (sync !== 'standard' && !found.capabilities.sync)
      findings.push(warn(notSupported(sync), 'leave zfs.sync out of the configuration'))
    return findings.length > 0
      ? findings
      : ok(`${state.pool}, ${health}, ${space}, its settings are as wanted`)
  },
}

const DAY_MS = 24 * 60 * 60_000
const OLDEST_SCRUB_MS = 40 * DAY_MS

export const poolScrub: Check = {
  name: 'zpool scrub',
  run: async (world, signal) => {
    const [config, found] = [configOf(world), await answering(world)]
    if (!config) return skipped('no configuration')
    if (!found) return skipped('the ZFS does not answer')
    const name = poolOf(datasetName(config.dataset))
    const status = await found.commands.read('zpool', ['status', name], { signal })
    const last = lastScrub(status)
    const begin = `zpool scrub ${name}`
    if (last === undefined) return warn('none was ever done: damage on the disks goes unseen', begin)
    if ('running' in last) return ok(last.running)
    const days = Math.floor((world.nowMs() - last.endedMs) / DAY_MS)
    const when = `${days} days ago`
    if (last.errors > 0) return fail(`found ${last.errors} errors ${when}`, `zpool status -v ${name}`)
    return world.nowMs() - last.endedMs > OLDEST_SCRUB_MS
      ? warn(`the last one was ${when}`, begin)
      : ok(`whole, ${when}`)
  },
}

const answering = (world: World): Promise<Zfs | undefined> => world.zfs().catch(() => undefined)
