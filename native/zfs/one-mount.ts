/**
 * One mount at a time, where the ZFS needs that. zfs-fuse tells its listener of each mount through one pipe, in several writes: of two
 * mounts at once it has read one's path as the length of the other's, and then it served neither, nor any mount after them.
 */
import { Lane } from './lanes.ts'
import type { RunOptions } from './run.ts'
import type { Zfs } from './zfs.ts'

const lanes = new WeakMap<Zfs['commands'], Lane>()

export async function oneMountAtATime<T>(
  { commands, capabilities }: Zfs,
  { signal }: RunOptions,
  mount: () => Promise<T>,
): Promise<T> {
  if (capabilities.flavour !== 'zfs-fuse') return mount()
  const lane = lanes.get(commands) ?? new Lane(1)
  lanes.set(commands, lane)
  const place = await lane.enter(signal)
  try {
    return await mount()
  } finally {
    place.release()
  }
}
