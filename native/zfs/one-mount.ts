/**
 * One mount at a time, where the ZFS needs that. zfs-fuse tells its listener of each mount through one pipe, in several writes: of two
 * mounts at once it has read one's path as the length of the other's, and then it served neither, nor any mount after them.
 */
import { Lane } from './lanes.ts'
import type { RunOptions } from './run.ts'
import type { Zfs } from './zfs.ts'

/**
 * There is one zfs-fuse a machine, and several processes mount: two daemons, a command, a test. In root's directory, so that nobody else
 * can hold it.
 */
const LOCK = '/run/tidepool-zfs-fuse.lock'

const lanes = new WeakMap<Zfs['commands'], Lane>()

/** `mount` is called when none of this process is under way; the lock that it is given keeps those of others away. */
export async function oneMountAtATime<T>(
  { commands, capabilities }: Zfs,
  { signal }: RunOptions,
  mount: (how: Pick<RunOptions, 'alone'>) => Promise<T>,
): Promise<T> {
  if (capabilities.flavour !== 'zfs-fuse') return mount({})
  const lane = lanes.get(commands) ?? new Lane(1)
  lanes.set(commands, lane)
  const place = await lane.enter(signal)
  try {
    // Whoever is not root mounts nothing.
    return await mount(process.getuid?.() === 0 ? { alone: LOCK } : {})
  } finally {
    place.release()
  }
}
