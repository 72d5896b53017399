/** The store: whether it answers, in our format, with the consistency that transactions need, and by which clock. */
import { datasetName, poolOf } from '../../../native/zfs/names.ts'
import { receivableBy } from '../../../native/zfs/receives.ts'
import { messageOf } from '../../../pipeline/base/errors.ts'
import { projectId } from '../../../pipeline/base/ids.ts'
import { temporaryDirectory } from '../../../pipeline/stores/directory/layout.ts'
import { parseStoreUrl } from '../../../pipeline/stores/url.ts'
import { type Check, fail, ok, skipped, warn } from '../check.ts'
import { configOf } from '../world.ts'

export const schema: Check = {
  name: 'store',
  run: async (world, signal) => {
    if (!configOf(world)) return skipped('no configuration')
    // One with another format is refused when it is opened, in words of its own.
    const store = await world.store()
    const { format } = await store.catalogue.info({ signal })
    return ok(`${store.url}, format ${format}`)
  },
}

/** Opens of what other hosts save with features that this pool lacks would fail here. */
export const receivable: Check = {
  name: 'receivable',
  run: async (world, signal) => {
    const config = configOf(world)
    if (!config) return skipped('no configuration')
    const [store, zfs] = await Promise.all([
      world.store().catch(() => undefined),
      world.zfs().catch(() => undefined),
    ])
    if (!store || !zfs) return skipped(`the ${store ? 'ZFS' : 'store'} cannot be opened`)
    const pool = poolOf(datasetName(config.dataset))
    const can = await receivableBy(zfs, pool, { signal })
    const allowed = (await store.catalogue.info({ signal })).receivable
    if (allowed === null) return ok('the store refuses no stream for its features')
    const lacks = allowed.filter((feature) => !can.includes(feature))
    if (lacks.length === 0) return ok('this host can receive whatever the store allows')
    return fail(
      `this host can't receive streams that use ${lacks.join(', ')}, which the store allows`,
      zfs.capabilities.flavour === 'openzfs' ? `zpool upgrade ${pool}` : 'tidepool store receivable',
    )
  },
}

/** No project needs to have it: that nobody has it, too, is an answer that enough copies must agree on. */
const NOBODY = projectId('tidepool-doctor')

export const consistency: Check = {
  name: 'consistency',
  run: async (world, signal) => {
    const config = configOf(world)
    if (!config) return skipped('no configuration')
    const store = await world.store().catch(() => undefined)
    if (!store) return skipped('the store cannot be opened')
    const beganMs = performance.now()
    try {
      await store.catalogue.read(NOBODY, { signal })
    } catch (error) {
      signal.throwIfAborted()
      const isCassandra = parseStoreUrl(config.store).kind === 'cassandra'
      return fail(
        messageOf(error),
        isCassandra
          ? 'nodetool status, on a node of the store: too few of them may be up'
          : 'tidepool store info',
      )
    }
    const tookMs = Math.round(performance.now() - beganMs)
    return ok(`enough copies answer a serial read, in ${tookMs} ms`)
  },
}

const NOTICEABLE_MS = 5_000
const MOST_MS = 60_000

export const clock: Check = {
  name: 'clocks',
  run: async (world, signal) => {
    const config = configOf(world)
    if (!config) return skipped('no configuration')
    const store = await world.store().catch(() => undefined)
    if (!store) return skipped('the store cannot be opened')
    const url = parseStoreUrl(config.store)
    const beforeMs = world.nowMs()
    // A directory has no clock; the file system that it is on may have one of its own.
    const shownMs =
      url.kind === 'directory'
        ? await world.fileTimeMs(temporaryDirectory(url.path))
        : await store.catalogue.nowMs({ signal })
    const apartMs = Math.max(0, beforeMs - shownMs, shownMs - world.nowMs())
    const text = `this machine and the store are ${(apartMs / 1000).toFixed(1)} s apart`
    const mend = 'timedatectl set-ntp true, here and on the nodes of the store'
    if (apartMs > MOST_MS) return fail(text, mend)
    return apartMs > NOTICEABLE_MS ? warn(text, mend) : ok(text)
  },
}
