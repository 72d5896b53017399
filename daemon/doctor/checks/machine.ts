/** Space for what the daemon keeps outside the pool, and what the system lets it have. */
import { humanBytes } from '../../../pipeline/base/units.ts'
import { type Check, type Finding, fail, ok, skipped, warn } from '../check.ts'
import { configOf, type World } from '../world.ts'

const LOW = { bytes: 2n ** 30n, share: 10n, inodes: 20n }
const NONE = { bytes: 100n * 2n ** 20n, inodes: 100n }

async function spaceAt(world: World, directory: string): Promise<Finding> {
  const { freeBytes, totalBytes, freeInodes, totalInodes } = await world.space(directory)
  const found = `${humanBytes(freeBytes)} of ${humanBytes(totalBytes)} free`
  const mend = `du -xh --max-depth=2 ${directory} | sort -h | tail`
  if (freeBytes < NONE.bytes) return fail(`${found}: saves are about to stop`, mend)
  // Some file systems have no number of them.
  if (totalInodes > 0n && freeInodes * NONE.inodes < totalInodes)
    return fail(`${freeInodes} inodes are free: no file can be made any more`, `df -i ${directory}`)
  if (freeBytes < LOW.bytes && freeBytes * LOW.share < totalBytes) return warn(found, mend)
  if (totalInodes > 0n && freeInodes * LOW.inodes < totalInodes)
    return warn(`${freeInodes} of ${totalInodes} inodes are free`, `df -i ${directory}`)
  return ok(found)
}

export const rootSpace: Check = { name: 'space of /', run: (world) => spaceAt(world, '/') }

export const stateSpace: Check = {
  name: 'space of the state directory',
  run: async (world) => {
    const config = configOf(world)
    return config ? spaceAt(world, config.state) : skipped('no configuration')
  },
}

const LEAST_FILES = 8192

export const openFiles: Check = {
  name: 'open files',
  run: async (world) => {
    const text = (await world.read('/proc/self/limits')) ?? ''
    const [, soft, hard] = /^Max open files +(\S+) +(\S+)/m.exec(text) ?? []
    if (hard === undefined) return skipped('/proc/self/limits does not say')
    // Node raises the soft limit to the hard one when it starts.
    const most = hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)
    if (most >= LEAST_FILES) return ok(`${soft}, up to ${hard}`)
    return warn(
      `at most ${hard}, fewer than ${LEAST_FILES}`,
      `LimitNOFILE=65536 in the unit, or ulimit -n 65536 before it is started`,
    )
  },
}
