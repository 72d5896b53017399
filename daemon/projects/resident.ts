/** What this pool holds of a project, read from ZFS itself: datasets, snapshots and bookmarks, known by GUIDs. */
import {
  type Bookmark,
  type Dataset,
  dataset,
  listBookmarks,
  listDatasets,
  listSnapshots,
  type Snapshot,
} from '../../native/zfs/list.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import type { RunOptions } from '../../native/zfs/run.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { EPOCH_PROPERTY, ID_PROPERTY, liveName, OUR_PROPERTIES, POOL_PROPERTY, roleOf } from './names.ts'

export interface Resident {
  readonly id: ProjectId
  readonly dataset: Dataset
  readonly name: DatasetName
  readonly openedEpoch: bigint
  /** In the order in which they were made. */
  readonly snapshots: readonly Snapshot[]
  readonly bookmarks: readonly Bookmark[]
}

/** Undefined where the pool has nothing of it. Rejects with `dataset-foreign` where what has its name is none of ours. */
export async function resident(
  host: ProjectHost,
  id: ProjectId,
  options: ActOptions = {},
): Promise<Resident | undefined> {
  const name = liveName(host.parent, id)
  const run = options.signal ? { signal: options.signal } : {}
  const looked = dataset(host.zfs, name, { ...run, user: OUR_PROPERTIES })
  // What is written is counted since the newest snapshot. Listed before that count, the snapshots could lack one that somebody
  // made in between, and what it hides would count as saved.
  if (host.zfs.capabilities.written) await looked
  const points = pointsOf(host, name, run)
  points.catch(() => {}) // where there is no dataset, that is told first
  const found = await looked
  if (!found) {
    await refuseRenamed(host, id, options)
    return undefined
  }
  const foreign = whyForeign(host, id, found)
  if (foreign !== undefined)
    throw new TidepoolError('dataset-foreign', `${name} is not the dataset of project ${id}: ${foreign}`, {
      hint: `Move it out of the way: zfs rename ${name} ${host.parent}/<another name>`,
    })
  return residentOf(id, found, await points)
}

/** Rejects with `not-resident` where there is none. */
export async function requireResident(
  host: ProjectHost,
  id: ProjectId,
  options: ActOptions = {},
): Promise<Resident> {
  const there = await resident(host, id, options)
  if (there) return there
  throw new TidepoolError('not-resident', `project ${id} has no dataset in ${host.parent}`, {
    hint: 'What the store has of it is complete: open it to work in it.',
  })
}

interface Points {
  readonly snapshots: readonly Snapshot[]
  readonly bookmarks: readonly Bookmark[]
}

async function pointsOf({ zfs }: ProjectHost, name: DatasetName, run: RunOptions): Promise<Points> {
  const [snapshots, bookmarks] = await Promise.all([
    listSnapshots(zfs, name, run),
    listBookmarks(zfs, name, run),
  ])
  return { snapshots, bookmarks }
}

function residentOf(id: ProjectId, found: Dataset, points: Points): Resident {
  const openedEpoch = BigInt(found.user.get(EPOCH_PROPERTY) ?? 0)
  return { id, dataset: found, name: found.name, openedEpoch, ...points }
}

/** Why a dataset that has a project's name is not the project's; undefined where it is. */
export function whyForeign(host: ProjectHost, id: ProjectId, { user }: Dataset): string | undefined {
  const [own, epoch, pool] = OUR_PROPERTIES.map((property) => user.get(property))
  if (own === undefined) return `it has no property ${ID_PROPERTY} of its own`
  if (own !== id) return `its ${ID_PROPERTY} is ${own}`
  if (pool !== host.poolGuid) return `its ${POOL_PROPERTY} is ${pool ?? 'missing'}, this is ${host.poolGuid}`
  if (epoch === undefined || !/^[0-9]{1,19}$/.test(epoch))
    return `its ${EPOCH_PROPERTY} is ${epoch ?? 'missing'}`
  return undefined
}

/** A live project that somebody renamed must be named, not received a second time. */
async function refuseRenamed(host: ProjectHost, id: ProjectId, { signal }: ActOptions): Promise<void> {
  const run = signal ? { signal } : {}
  for await (const found of listDatasets(host.zfs, host.parent, { ...run, user: OUR_PROPERTIES })) {
    const role = roleOf(found.name)?.role
    if (role === 'receiving' || role === 'aside' || whyForeign(host, id, found) !== undefined) continue
    throw new TidepoolError('dataset-renamed', `project ${id} is in this pool under the name ${found.name}`, {
      hint: `Give it back its name: zfs rename ${found.name} ${liveName(host.parent, id)}`,
    })
  }
}

export const newest = ({ snapshots }: Pick<Resident, 'snapshots'>): Snapshot | undefined => snapshots.at(-1)

/** Whether a GUID is there as a snapshot or as a bookmark. */
export const holds =
  ({ snapshots, bookmarks }: Pick<Resident, 'snapshots' | 'bookmarks'>) =>
  (point: Guid): boolean =>
    snapshots.some((snapshot) => snapshot.guid === point) || bookmarks.some((mark) => mark.guid === point)
