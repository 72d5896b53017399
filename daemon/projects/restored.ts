/** What was restored beside its project: read-only, of one point, known by properties that are set on it itself. */
import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { destroyDataset, setProperties } from '../../native/zfs/dataset.ts'
import { type Brief, dataset, listInBrief } from '../../native/zfs/list.ts'
import { unmount } from '../../native/zfs/mount.ts'
import { type DatasetName, lastPart } from '../../native/zfs/names.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { mountProject } from './mount-point.ts'
import { ID_PROPERTY, POINT_PROPERTY, POOL_PROPERTY, restoredName, roleOf } from './names.ts'

export interface Restored {
  readonly id: ProjectId
  readonly point: Guid
  readonly name: DatasetName
  readonly mounted: boolean
  readonly usedBytes: bigint
}

/** Whoever asks `asRestored` lists these. */
export const RESTORED_PROPERTIES = [ID_PROPERTY, POOL_PROPERTY, POINT_PROPERTY]

/** A text says why a dataset is none, although it is called like one. */
export function asRestored(host: ProjectHost, { name, user, mounted, usedBytes }: Brief): Restored | string {
  const id = user.get(ID_PROPERTY) as ProjectId | undefined
  const point = user.get(POINT_PROPERTY) as Guid | undefined
  const pool = user.get(POOL_PROPERTY)
  if (id === undefined || point === undefined || name !== restoredName(host.parent, id, point))
    return `its ${ID_PROPERTY} is ${id ?? 'missing'}, its ${POINT_PROPERTY} ${point ?? 'missing'}`
  if (pool !== host.poolGuid) return `its ${POOL_PROPERTY} is ${pool ?? 'missing'}, this is ${host.poolGuid}`
  return { id, point, name, mounted, usedBytes }
}

/** Rejects with `dataset-foreign` where what has its name is none of ours. */
export async function findRestored(
  host: ProjectHost,
  id: ProjectId,
  point: Guid,
  { signal }: ActOptions = {},
): Promise<Restored | undefined> {
  const name = restoredName(host.parent, id, point)
  const found = await dataset(host.zfs, name, { ...(signal && { signal }), user: RESTORED_PROPERTIES })
  if (!found) return undefined
  const restored = asRestored(host, found)
  if (typeof restored !== 'string') return restored
  throw new TidepoolError('dataset-foreign', `${name} is not point ${point} of project ${id}: ${restored}`, {
    hint: `Move it out of the way: zfs rename ${name} ${host.parent}/<another name>`,
  })
}

/** All that this pool has, by one listing. */
export async function* listRestored(
  host: ProjectHost,
  { signal }: ActOptions = {},
): AsyncGenerator<Restored> {
  const listed = listInBrief(host.zfs, host.parent, { ...(signal && { signal }), user: RESTORED_PROPERTIES })
  for await (const found of listed) {
    const restored = roleOf(found.name)?.role === 'restored' && asRestored(host, found)
    if (typeof restored === 'object') yield restored
  }
}

/**
 * Before another one is brought. Refused, and not made room for: one that somebody reads in a minute would be gone under the path that he
 * was told, and who is between two looks at it cannot be seen.
 */
export async function refuseTooManyRestored(
  host: ProjectHost,
  id: ProjectId,
  options: ActOptions = {},
): Promise<void> {
  const { maxRestored } = host.settings
  const points: Guid[] = []
  for await (const one of listRestored(host, options)) if (one.id === id) points.push(one.point)
  if (points.length < maxRestored) return
  throw new TidepoolError(
    'too-many-restored',
    `${points.length} old points of project ${id} are restored beside it, of ${maxRestored} at most: ${points.join(', ')}`,
    {
      hint: `Remove one that is not needed any more: tidepool restore ${id} ${points[0]} --remove`,
      facts: { project: id, points, max: maxRestored },
    },
  )
}

const directoryOf = ({ mountRoot }: ProjectHost, name: DatasetName): string => join(mountRoot, lastPart(name))

/** Resolves with where it is seen. An id has no dot, so this is no project's directory. */
export async function mountRestored(
  host: ProjectHost,
  { name, mounted }: Pick<Restored, 'name' | 'mounted'>,
  options: ActOptions = {},
): Promise<string> {
  // Set on what is mounted, it would move the mount away from under whoever reads there.
  if (!mounted) await setProperties(host.zfs, name, { mountpoint: directoryOf(host, name) })
  return mountProject(host, name, options)
}

/** False where it was not there. Rejects with `dataset-busy`, naming who is in it; it is then still there, mounted. */
export function removeRestored(
  host: ProjectHost,
  id: ProjectId,
  point: Guid,
  options: ActOptions = {},
): Promise<boolean> {
  return host.restores.hold(id, 'removal', options.signal, async () => {
    const there = await findRestored(host, id, point, options)
    if (!there) return false
    const run = options.signal ? { signal: options.signal } : {}
    await unmount(host.zfs, there.name, run)
    const removed = await destroyDataset(host.zfs, there.name, { ...run, withSnapshots: true })
    // Whoever has something in it keeps it, and an empty directory too many harms nobody.
    await rmdir(directoryOf(host, there.name)).catch(() => {})
    return removed
  })
}
