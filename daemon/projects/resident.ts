/** What this pool holds of a project, read from ZFS itself: datasets, snapshots and bookmarks, known by GUIDs. */
import {
  type Bookmark,
  type Dataset,
  listInBrief,
  type Snapshot,
  type Whole,
  wholeDataset,
} from '../../native/zfs/list.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { EPOCH_PROPERTY, ID_PROPERTY, liveName, OUR_PROPERTIES, POOL_PROPERTY, roleOf } from './names.ts'
import { PROPERTIES } from './properties.ts'

export interface Resident {
  readonly id: ProjectId
  readonly dataset: Dataset
  readonly name: DatasetName
  readonly openedEpoch: bigint
  /** In the order in which they were made. */
  readonly snapshots: readonly Snapshot[]
  readonly bookmarks: readonly Bookmark[]
}

export interface Looked {
  /** Undefined where nothing has its name. */
  readonly there: Resident | undefined
  /** Rejects with `dataset-renamed` where it is there under another one; that takes a listing of the whole pool. */
  readonly notRenamed: Promise<void>
}

/** Undefined where the pool has nothing of it. Rejects with `dataset-foreign` where what has its name is none of ours. */
export async function resident(
  host: ProjectHost,
  id: ProjectId,
  options: ActOptions = {},
): Promise<Resident | undefined> {
  const { there, notRenamed } = await look(host, id, options)
  await notRenamed
  return there
}

/** The same for whoever has something else to do while it is seen whether it was renamed. */
export async function look(host: ProjectHost, id: ProjectId, options: ActOptions = {}): Promise<Looked> {
  const name = liveName(host.parent, id)
  const run = options.signal ? { signal: options.signal } : {}
  const found = await wholeDataset(host.zfs, name, { ...run, user: [...OUR_PROPERTIES, ...PROPERTIES] })
  if (!found) {
    const notRenamed = refuseRenamed(host, id, options)
    notRenamed.catch(() => {}) // it is awaited later
    return { there: undefined, notRenamed }
  }
  const foreign = whyForeign(host, id, found.dataset)
  if (foreign !== undefined)
    throw new TidepoolError('dataset-foreign', `${name} is not the dataset of project ${id}: ${foreign}`, {
      hint: `Move it out of the way: zfs rename ${name} ${host.parent}/<another name>`,
    })
  return { there: residentOf(id, found), notRenamed: Promise.resolve() }
}

/** Rejects with `not-resident` where there is none, and with `project-unknown` where there is no such project at all. */
export async function requireResident(
  host: ProjectHost,
  id: ProjectId,
  options: ActOptions = {},
): Promise<Resident> {
  const there = await resident(host, id, options)
  if (there) return there
  // Whatever else the store says, or does not, it is not here.
  await readProject(host.store.catalogue, id, options).catch((error: unknown) => {
    if (codeOf(error) === 'project-unknown') throw error
  })
  throw new TidepoolError('not-resident', `project ${id} has no dataset in ${host.parent}`, {
    hint: 'What the store has of it is complete: open it to work in it.',
  })
}

function residentOf(id: ProjectId, { dataset, ...points }: Whole): Resident {
  const openedEpoch = BigInt(dataset.user.get(EPOCH_PROPERTY) ?? 0)
  return { id, dataset, name: dataset.name, openedEpoch, ...points }
}

/** Why a dataset that has a project's name is not the project's; undefined where it is. */
export function whyForeign(
  host: ProjectHost,
  id: ProjectId,
  { user }: Pick<Dataset, 'user'>,
): string | undefined {
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
  for await (const found of listInBrief(host.zfs, host.parent, { ...run, user: OUR_PROPERTIES })) {
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
