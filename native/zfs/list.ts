/** Datasets, snapshots and bookmarks as they are: with their GUIDs, which are what they are known by. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { type Guid, guid } from '../../pipeline/base/ids.ts'
import { ZfsError } from './errors.ts'
import { bytesOf, type Property, type Row, type RowsOptions, rows } from './get.ts'
import {
  type BookmarkName,
  bookmarkName,
  type DatasetName,
  datasetName,
  type NativeProperty,
  type SnapshotName,
  snapshotName,
  type UserProperty,
} from './names.ts'
import type { RunOptions } from './run.ts'
import type { Zfs } from './zfs.ts'

interface Common {
  readonly guid: Guid
  /** Grows with each change of the pool: the order of snapshots, also where two were made in one second. */
  readonly createTxg: bigint
  readonly createdMs: number
}

export interface Snapshot extends Common {
  readonly name: SnapshotName
  readonly usedBytes: bigint
  readonly referencedBytes: bigint
  /** How many holds it has. */
  readonly holds: number
  /** What it brought that the snapshot before it has not; only where this ZFS knows. */
  readonly writtenBytes?: bigint
}

export interface Bookmark extends Common {
  readonly name: BookmarkName
}

export interface Dataset extends Common {
  readonly name: DatasetName
  readonly mounted: boolean
  readonly mountpoint: string
  readonly usedBytes: bigint
  readonly availableBytes: bigint
  readonly referencedBytes: bigint
  readonly snapshotBytes: bigint
  readonly quotaBytes: bigint | undefined
  readonly refquotaBytes: bigint | undefined
  /** Since its newest snapshot; undefined where this ZFS does not know. 0 is proof only after a sync. */
  readonly writtenBytes: bigint | undefined
  /** Uncompressed; undefined where this ZFS does not know. */
  readonly logicalBytes: bigint | undefined
  /** The snapshot it is a clone of. */
  readonly origin: SnapshotName | undefined
  /** What is left of a receive that can be continued. */
  readonly resumeToken: string | undefined
  /** Those that were asked for and are set on it itself: inherited and received ones are left out. */
  readonly user: ReadonlyMap<string, string>
}

const IDENTITY = ['type', 'guid', 'createtxg', 'creation']

function common(row: Row): Common {
  return {
    guid: guid(row.properties.get('guid')?.value ?? ''),
    createTxg: bytesOf(row, 'createtxg') ?? 0n,
    createdMs: Number(bytesOf(row, 'creation') ?? 0n) * 1000,
  }
}

const typeOf = (row: Row): string | undefined => row.properties.get('type')?.value

function need(row: Row, property: string): bigint {
  const bytes = bytesOf(row, property)
  if (bytes === undefined)
    throw new TidepoolError('zfs-output', `zfs get says nothing of ${property} for ${row.name}`)
  return bytes
}

const size = (bytes: bigint | undefined): bigint | undefined => (bytes === 0n ? undefined : bytes)
const text = (property: Property | undefined): string | undefined =>
  property === undefined || property.value === '-' ? undefined : property.value

/** In the order in which they were made. Rejects with `dataset-missing` where the dataset is not there. */
export async function listSnapshots(
  zfs: Zfs,
  dataset: DatasetName,
  options: RunOptions = {},
): Promise<Snapshot[]> {
  const found: Snapshot[] = []
  for await (const row of rows(zfs, dataset, snapshotAsked(zfs), {
    ...options,
    depth: 1,
    types: ['snapshot'],
  }))
    if (typeOf(row) === 'snapshot' && row.name.startsWith(`${dataset}@`)) found.push(snapshotRow(row))
  return found.sort(byTxg)
}

/** Of all datasets below `parent`, in one listing; each dataset's in the order in which they were made. */
export async function* listAllSnapshots(
  zfs: Zfs,
  parent: DatasetName,
  options: RunOptions = {},
): AsyncGenerator<Snapshot> {
  for await (const row of rows(zfs, parent, snapshotAsked(zfs), {
    ...options,
    depth: 2,
    types: ['snapshot'],
  }))
    if (typeOf(row) === 'snapshot') yield snapshotRow(row)
}

const snapshotAsked = ({ capabilities }: Zfs): string[] => [
  ...IDENTITY,
  'used',
  'referenced',
  'userrefs',
  ...(capabilities.written ? ['written'] : []),
]

function snapshotRow(row: Row): Snapshot {
  const writtenBytes = bytesOf(row, 'written')
  return {
    ...common(row),
    name: snapshotName(row.name),
    usedBytes: need(row, 'used'),
    referencedBytes: need(row, 'referenced'),
    holds: Number(bytesOf(row, 'userrefs') ?? 0n),
    ...(writtenBytes !== undefined && { writtenBytes }),
  }
}

const byTxg = (a: Common, b: Common): number =>
  a.createTxg < b.createTxg ? -1 : a.createTxg > b.createTxg ? 1 : 0

export async function newestSnapshot(
  zfs: Zfs,
  dataset: DatasetName,
  options: RunOptions = {},
): Promise<Snapshot | undefined> {
  return (await listSnapshots(zfs, dataset, options)).at(-1)
}

/** By its GUID, whatever it is called now. */
export async function findSnapshot(
  zfs: Zfs,
  dataset: DatasetName,
  wanted: Guid,
  options: RunOptions = {},
): Promise<Snapshot | undefined> {
  return (await listSnapshots(zfs, dataset, options)).find((snapshot) => snapshot.guid === wanted)
}

/** In the order in which their snapshots were made; none where this ZFS has no bookmarks. */
export async function listBookmarks(
  zfs: Zfs,
  dataset: DatasetName,
  options: RunOptions = {},
): Promise<Bookmark[]> {
  if (!zfs.capabilities.bookmarks) return []
  const found: Bookmark[] = []
  for await (const row of rows(zfs, dataset, IDENTITY, { ...options, depth: 1, types: ['bookmark'] }))
    if (row.name.startsWith(`${dataset}#`)) found.push(bookmarkRow(row))
  return found.sort(byTxg)
}

const bookmarkRow = (row: Row): Bookmark => ({ ...common(row), name: bookmarkName(row.name) })

export interface DatasetsOptions extends RunOptions {
  readonly user?: readonly (UserProperty | NativeProperty)[]
}

function askedOf(
  zfs: Zfs,
  user: readonly (UserProperty | NativeProperty)[],
  more: readonly string[] = [],
): string[] {
  const known = (name: string): boolean => zfs.capabilities.properties.has(name)
  const sizes = [
    'used',
    'available',
    'referenced',
    'usedbysnapshots',
    'quota',
    'refquota',
    'written',
    'logicalused',
  ]
  // The free text is not at the end: what follows it shows where it ends.
  return [
    ...[...user, ...IDENTITY, 'mounted', 'mountpoint', ...sizes].filter(
      (name) => name.includes(':') || known(name),
    ),
    ...more,
    ...['origin', 'receive_resume_token'].filter(known),
  ]
}

function datasetRow(row: Row, user: readonly (UserProperty | NativeProperty)[]): Dataset {
  const properties = row.properties
  const origin = text(properties.get('origin'))
  return {
    ...common(row),
    ...briefRow(row, user),
    mountpoint: properties.get('mountpoint')?.value ?? 'none',
    availableBytes: need(row, 'available'),
    quotaBytes: size(bytesOf(row, 'quota')),
    refquotaBytes: size(bytesOf(row, 'refquota')),
    logicalBytes: bytesOf(row, 'logicalused'),
    origin: origin === undefined || origin === '' ? undefined : snapshotName(origin),
    resumeToken: text(properties.get('receive_resume_token')),
  }
}

/** What is asked of thousands of datasets again and again: a third of all there is, and so a third of the work for both sides. */
export type Brief = Pick<
  Dataset,
  'name' | 'mounted' | 'usedBytes' | 'referencedBytes' | 'snapshotBytes' | 'writtenBytes' | 'user'
>

/** As `listDatasets`, in brief. */
export async function* listInBrief(
  zfs: Zfs,
  parent: DatasetName,
  options: DatasetsOptions = {},
): AsyncGenerator<Brief> {
  const { user = [], ...run } = options
  // The free text is not at the end: what follows it shows where it ends.
  const asked = [...user, 'type', 'mounted', 'used', 'referenced', 'usedbysnapshots']
  if (zfs.capabilities.written) asked.push('written')
  const reach: RowsOptions = { ...run, depth: 1, types: ['filesystem'] }
  for await (const row of rows(zfs, parent, asked, reach))
    if (typeOf(row) === 'filesystem' && row.name !== parent) yield briefRow(row, user)
}

function briefRow(row: Row, user: readonly (UserProperty | NativeProperty)[]): Brief {
  return {
    name: datasetName(row.name),
    mounted: row.properties.get('mounted')?.value === 'yes',
    usedBytes: need(row, 'used'),
    referencedBytes: need(row, 'referenced'),
    snapshotBytes: bytesOf(row, 'usedbysnapshots') ?? 0n,
    writtenBytes: bytesOf(row, 'written'),
    user: setOn(row, user),
  }
}

/**
 * Those that are set on it itself. What is mounted otherwise than it is set is `temporary`, and shows as it is mounted: so does `readonly=on`
 * on zfs-fuse while it is mounted, whose mounts do not show that they are.
 */
function setOn(
  { properties }: Row,
  user: readonly (UserProperty | NativeProperty)[],
): ReadonlyMap<string, string> {
  return new Map(
    user.flatMap((name): [string, string][] => {
      const found = properties.get(name)
      return found?.source === 'local' || found?.source === 'temporary' ? [[name, found.value]] : []
    }),
  )
}

/** One listing for all datasets right below `parent`, in any order; datasets of other types are left out. */
export async function* listDatasets(
  zfs: Zfs,
  parent: DatasetName,
  options: DatasetsOptions = {},
): AsyncGenerator<Dataset> {
  const { user = [], ...run } = options
  const reach: RowsOptions = { ...run, depth: 1, types: ['filesystem'] }
  for await (const row of rows(zfs, parent, askedOf(zfs, user), reach))
    if (typeOf(row) === 'filesystem' && row.name !== parent) yield datasetRow(row, user)
}

export interface Whole {
  readonly dataset: Dataset
  /** In the order in which they were made. */
  readonly snapshots: readonly Snapshot[]
  readonly bookmarks: readonly Bookmark[]
}

/**
 * A dataset with its snapshots and bookmarks, by one command: zfs reads the dataset before it lists what it has, so nothing that was
 * written is counted since a snapshot that is not among these. Undefined where it is not there.
 */
export async function wholeDataset(
  zfs: Zfs,
  name: DatasetName,
  options: DatasetsOptions = {},
): Promise<Whole | undefined> {
  const { user = [], ...run } = options
  const asked = askedOf(zfs, user, ['userrefs'])
  const reach: RowsOptions = { ...run, depth: 1, types: ['filesystem', 'snapshot', 'bookmark'] }
  let found: Dataset | undefined
  const snapshots: Snapshot[] = []
  const bookmarks: Bookmark[] = []
  try {
    for await (const row of rows(zfs, name, asked, reach)) {
      if (row.name === name) found = datasetRow(row, user)
      else if (row.name.startsWith(`${name}@`)) snapshots.push(snapshotRow(row))
      else if (row.name.startsWith(`${name}#`)) bookmarks.push(bookmarkRow(row))
    }
  } catch (error) {
    if (error instanceof ZfsError && error.code === 'dataset-missing') return undefined
    throw error
  }
  return found && { dataset: found, snapshots: snapshots.sort(byTxg), bookmarks: bookmarks.sort(byTxg) }
}

/** Undefined where it is not there. */
export async function dataset(
  zfs: Zfs,
  name: DatasetName,
  options: DatasetsOptions = {},
): Promise<Dataset | undefined> {
  const { user = [], ...run } = options
  try {
    for await (const row of rows(zfs, name, askedOf(zfs, user), run)) return datasetRow(row, user)
    return undefined
  } catch (error) {
    if (error instanceof ZfsError && error.code === 'dataset-missing') return undefined
    throw error
  }
}
