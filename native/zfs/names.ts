/** Names of pools, datasets, snapshots and bookmarks, checked before any command sees them; each is a type of its own. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

export type PoolName = Branded<'pool'>
/** A file system or the root of a pool: `pool/a/b`. */
export type DatasetName = Branded<'dataset'>
/** `pool/a@tag`. */
export type SnapshotName = Branded<'snapshot'>
/** `pool/a#tag`. */
export type BookmarkName = Branded<'bookmark'>

/** Whatever can stand in a list of datasets. */
export type AnyName = DatasetName | SnapshotName | BookmarkName

/** `ZFS_MAX_DATASET_NAME_LEN` less the terminating zero; it holds for the whole name with its `@tag`. */
const MAX_NAME = 255
/** zfs-fuse keeps a pool's name with `/` and `$ORIGIN` behind it in the same 256 bytes. */
const MAX_POOL_NAME = 256 - 2 - '$ORIGIN'.length * 2
/** `valid_char` of zfs_namecheck.c. `%` is its own mark for what is being received, and is refused by it. */
const COMPONENT = /^[A-Za-z0-9\-_.: ]+$/
/** Words of a vdev specification: `zpool` takes none of these for a pool, nor what starts with one, but for `log`. */
const RESERVED_POOLS = ['mirror', 'raidz', 'draid', 'spare', 'log']

function refuse(kind: string, text: string, why: string): never {
  throw new TidepoolError(
    'bad-name',
    `${JSON.stringify(text.slice(0, 300))} is not a name of a ${kind}: ${why}`,
    {
      hint: 'Use letters, digits, dashes, underscores, dots and colons, with slashes between the parts; at most 255 characters.',
    },
  )
}

function checkComponent(kind: string, whole: string, part: string): void {
  if (part === '') refuse(kind, whole, 'one of its parts is empty')
  if (!COMPONENT.test(part))
    refuse(kind, whole, `${JSON.stringify(part.slice(0, 100))} has a character that ZFS refuses`)
  // zfs-fuse would create these, and mount them over their parent.
  if (part === '.' || part === '..') refuse(kind, whole, `${part} is a path, not a name`)
}

export function poolName(text: string): PoolName {
  checkComponent('pool', text, text)
  if (text.length > MAX_POOL_NAME) refuse('pool', text, `it is longer than ${MAX_POOL_NAME} characters`)
  if (!/^[A-Za-z]/.test(text)) refuse('pool', text, 'it must begin with a letter')
  if (/^c[0-9]/.test(text)) refuse('pool', text, 'it looks like a disk (c and a digit)')
  if (text.includes(' ')) refuse('pool', text, 'a space in it makes every list ambiguous for people')
  const reserved = RESERVED_POOLS.find((word) => text === word || (word !== 'log' && text.startsWith(word)))
  if (reserved) refuse('pool', text, `${reserved} is a word of zpool's own`)
  return text as PoolName
}

function checkDataset(kind: string, whole: string, text: string): void {
  if (whole.length > MAX_NAME) refuse(kind, whole, `it is longer than ${MAX_NAME} characters`)
  const [pool = '', ...rest] = text.split('/')
  for (const part of [pool, ...rest]) checkComponent(kind, whole, part)
  // A pool made by somebody else may have a name that we would not give; what ZFS takes, we can name.
  if (!/^[A-Za-z]/.test(pool)) refuse(kind, whole, 'its pool must begin with a letter')
}

function checkTagged(kind: string, mark: '@' | '#', text: string): void {
  const parts = text.split(mark)
  if (parts.length !== 2) refuse(kind, text, `it has ${parts.length === 1 ? 'no' : 'more than one'} ${mark}`)
  const [dataset = '', tag = ''] = parts
  checkDataset(kind, text, dataset)
  checkComponent(kind, text, tag)
}

export function datasetName(text: string): DatasetName {
  checkDataset('dataset', text, text)
  return text as DatasetName
}

export function snapshotName(text: string): SnapshotName {
  checkTagged('snapshot', '@', text)
  return text as SnapshotName
}

export function bookmarkName(text: string): BookmarkName {
  checkTagged('bookmark', '#', text)
  return text as BookmarkName
}

export const snapshotOf = (dataset: DatasetName, tag: string): SnapshotName =>
  snapshotName(`${dataset}@${tag}`)
export const bookmarkOf = (dataset: DatasetName, tag: string): BookmarkName =>
  bookmarkName(`${dataset}#${tag}`)
export const childOf = (parent: DatasetName, name: string): DatasetName => datasetName(`${parent}/${name}`)

/** The dataset of a project: its id is one part of a name, and always a valid one. */
export const projectDataset = (parent: DatasetName, id: ProjectId): DatasetName => childOf(parent, id)

/** What stands before `@` or `#`. */
export function datasetOf(name: AnyName): DatasetName {
  return (name.split(/[@#]/, 1)[0] ?? '') as DatasetName
}

/** What stands behind `@` or `#`. */
export function tagOf(name: SnapshotName | BookmarkName): string {
  return name.slice(datasetOf(name).length + 1)
}

export function poolOf(name: AnyName): PoolName {
  return (name.split(/[/@#]/, 1)[0] ?? '') as PoolName
}

/** The last part: `c` of `a/b/c`. */
export function lastPart(name: DatasetName): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

/** Of ZFS's own those that may be set on one dataset and not on the next, as everybody has them. */
export type NativeProperty = 'compression' | 'recordsize' | 'readonly'

/** Names of user properties: with a colon, in lower case, as all versions take them. */
export type UserProperty = Branded<'user-property'>

export function userProperty(text: string): UserProperty {
  if (text.length > 255 || !/^[a-z0-9][a-z0-9_.\-+]*:[a-z0-9_.:\-+]+$/.test(text))
    refuse(
      'user property',
      text,
      'it needs a colon, and nothing but lower-case letters, digits and _ . - + : in it',
    )
  return text as UserProperty
}
