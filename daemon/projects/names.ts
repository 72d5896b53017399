/**
 * What things of ours are called in a pool. An id has no dot, so what is being received or was set aside never has the
 * name of a project; and none of it is known by its name alone, but by properties that are set on it itself.
 */
import { randomBytes } from 'node:crypto'
import {
  type BookmarkName,
  childOf,
  type DatasetName,
  lastPart,
  type SnapshotName,
  snapshotOf,
  tagOf,
  userProperty,
} from '../../native/zfs/names.ts'
import { type Guid, type ProjectId, projectId } from '../../pipeline/base/ids.ts'

export const ID_PROPERTY = userProperty('tidepool:id')
/** The project's epoch when the dataset was opened here. */
export const EPOCH_PROPERTY = userProperty('tidepool:epoch')
/** The pool that it was opened in: a copy that somebody sent elsewhere is none of ours. */
export const POOL_PROPERTY = userProperty('tidepool:pool')
/** The point that a restored dataset is; it has no epoch, so whatever it is called it is never taken for the project. */
export const POINT_PROPERTY = userProperty('tidepool:point')
/** Why a dataset was set aside, for people. */
export const WHY_PROPERTY = userProperty('tidepool:why')
export const OUR_PROPERTIES = [ID_PROPERTY, EPOCH_PROPERTY, POOL_PROPERTY]

/** On what a save is sending, so that nobody destroys it meanwhile. */
export const SAVE_HOLD = 'tidepool-save'

export type Role = 'live' | 'receiving' | 'aside' | 'restored'

const random = (): string => randomBytes(4).toString('hex')

export const liveName = (parent: DatasetName, id: ProjectId): DatasetName => childOf(parent, id)
export const receivingName = (parent: DatasetName, id: ProjectId): DatasetName =>
  childOf(parent, `receiving.${id}.${random()}`)
export const asideName = (parent: DatasetName, id: ProjectId): DatasetName =>
  childOf(parent, `aside.${id}.${random()}`)
/** One place a point: what was restored once is found there. */
export const restoredName = (parent: DatasetName, id: ProjectId, point: Guid): DatasetName =>
  childOf(parent, `restored.${id}.${point}`)

/** What a name says; undefined for one that we never give. */
export function roleOf(name: DatasetName): { readonly role: Role; readonly id: ProjectId } | undefined {
  const [first = '', second, third, ...more] = lastPart(name).split('.')
  try {
    if (second === undefined) return { role: 'live', id: projectId(first) }
    if (third === undefined || more.length > 0) return undefined
    if (first === 'receiving' || first === 'aside' || first === 'restored')
      return { role: first, id: projectId(second) }
  } catch {
    // Not an id: not one of our names.
  }
  return undefined
}

/** Of whatever is called like something of ours below the parent, a snapshot or bookmark included; undefined for all else. */
export function idOfName(parent: DatasetName, text: string): ProjectId | undefined {
  if (!text.startsWith(`${parent}/`)) return undefined
  return roleOf((text.split(/[@#]/, 1)[0] ?? '') as DatasetName)?.id
}

const POINT = /^tidepool-[0-9]{8}T[0-9]{9}Z-([0-9]+)$/
const LOCAL = /^tidepool-local-[0-9]{8}T[0-9]{9}Z-([0-9]+)$/

/** By time, for people, and by a counter, because clocks stand still and go back. */
export function pointName(
  dataset: DatasetName,
  before: readonly SnapshotName[],
  nowMs: number,
  { local = false } = {},
): SnapshotName {
  const last = before.map(counterOf).reduce((most, counter) => Math.max(most, counter), 0)
  const time = new Date(nowMs).toISOString().replace(/[-:.]/g, '')
  return snapshotOf(dataset, `tidepool-${local ? 'local-' : ''}${time}-${last + 1}`)
}

function counterOf(name: SnapshotName): number {
  const tag = tagOf(name)
  return Number((POINT.exec(tag) ?? LOCAL.exec(tag))?.[1] ?? 0)
}

/** Made by a save, and so ours to remove; what a person made, or asked for, is not. */
export const isPointName = (name: SnapshotName | BookmarkName): boolean => POINT.test(tagOf(name))
