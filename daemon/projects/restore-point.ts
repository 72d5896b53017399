/**
 * Brings an old point of a project back beside the project, to be read: received into a dataset of its own, which nobody
 * writes to and which is not the project. Neither owner, epoch and head nor the project's dataset are touched.
 */
import { destroyDataset, rename, setProperties } from '../../native/zfs/dataset.ts'
import type { Snapshot } from '../../native/zfs/list.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import { messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import { isReachable } from '../../pipeline/graph/plan.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import type { Life, Project } from '../../pipeline/graph/state.ts'
import { copyInPool, heldSnapshots } from './copy-in-pool.ts'
import { isUnreadable } from './fall-back.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { ID_PROPERTY, POINT_PROPERTY, POOL_PROPERTY, receivingName, restoredName } from './names.ts'
import { fetchInto } from './receive.ts'
import { findRestored, mountRestored, refuseTooManyRestored } from './restored.ts'
import { cheapestStart, pointOf, type WhichPoint } from './which-point.ts'

export interface RestoredPoint {
  readonly point: Guid
  /** Where it is mounted. */
  readonly path: string
  readonly dataset: DatasetName
  /** Streams that were received for it, and their bytes; 0 where it was there already, or the pool had all of it. */
  readonly receivedStreams: number
  readonly receivedBytes: bigint
  /** It was not there before. */
  readonly isNew: boolean
}

/** A destroyed one has all of its points until it is purged. */
const READABLE: readonly Life[] = ['live', 'destroyed']

/**
 * Of a project that is open here or elsewhere, or destroyed within its window. Rejects with `point-unknown`, `point-gone`,
 * `point-unreadable`, `project-gone` or `too-many-restored`; nothing of it is then left in the pool.
 */
export function restorePoint(
  host: ProjectHost,
  id: ProjectId,
  which: WhichPoint,
  options: ActOptions = {},
): Promise<RestoredPoint> {
  return host.restores.hold(id, 'restore', options.signal, async () => {
    options.onProgress?.({ step: 'plan' })
    const project = await readProject(host.store.catalogue, id, options)
    if (!READABLE.includes(project.statics.life))
      throw new TidepoolError('project-gone', `project ${id} is ${project.statics.life}`, {
        hint: 'Its window has passed; a backup host may still have it.',
      })
    const point = pointOf(project, which)
    const there = await findRestored(host, id, point, options)
    if (!there) await refuseTooManyRestored(host, id, options)
    const brought = there ? { streams: 0, bytes: 0n } : await bring(host, project, point, options)
    const name = restoredName(host.parent, id, point)
    options.onProgress?.({ step: 'mount' })
    return {
      point,
      path: await mountRestored(host, there ?? { name, mounted: false }, options),
      dataset: name,
      receivedStreams: brought.streams,
      receivedBytes: brought.bytes,
      isNew: !there,
    }
  })
}

interface Brought {
  readonly streams: number
  readonly bytes: bigint
}

/** Afterwards a dataset has the point's name, whole; or nothing is left. */
async function bring(
  host: ProjectHost,
  project: Project,
  point: Guid,
  options: ActOptions,
): Promise<Brought> {
  const start = cheapestStart(project, point, await heldSnapshots(host, project.id, options))
  const made = new Set<DatasetName>()
  try {
    const copied = start && (await copyOf(host, project, point, start, options))
    if (copied) made.add(copied.name)
    const { into, streams, bytes } = await fetchInto(host, project, copied ?? undefined, {
      ...options,
      to: point,
      lives: READABLE,
    })
    if (into === undefined) throw new TypeError(`nothing leads to ${point}, and nothing was told of it`)
    made.add(into)
    await settleIn(host, project.id, point, into, options)
    made.delete(into)
    return { streams, bytes }
  } catch (error) {
    throw isUnreadable(error) ? unreadable(project.id, point, error) : error
  } finally {
    for (const name of made) await destroyDataset(host.zfs, name, { withSnapshots: true }).catch(() => {})
  }
}

/** Null where it could not be made: the store has another way. */
async function copyOf(
  host: ProjectHost,
  project: Project,
  point: Guid,
  start: Snapshot,
  options: ActOptions,
): Promise<{ readonly name: DatasetName; readonly snapshots: readonly Snapshot[] } | null> {
  const name = receivingName(host.parent, project.id)
  try {
    const copy = () => copyInPool(host, start, name, options)
    return { name, snapshots: [await host.restores.copy(project.id, start.guid, copy)] }
  } catch (error) {
    options.signal?.throwIfAborted()
    if (isReachable(project, point)) return null
    throw error
  }
}

/** Last its name: whoever finds that finds all the rest. */
async function settleIn(
  host: ProjectHost,
  id: ProjectId,
  point: Guid,
  from: DatasetName,
  options: ActOptions,
): Promise<void> {
  const run = options.signal ? { signal: options.signal } : {}
  await setProperties(
    host.zfs,
    from,
    { readonly: 'on', [ID_PROPERTY]: id, [POOL_PROPERTY]: host.poolGuid, [POINT_PROPERTY]: point },
    run,
  )
  await rename(host.zfs, from, restoredName(host.parent, id, point), run)
}

function unreadable(id: ProjectId, point: Guid, cause: unknown): TidepoolError {
  const why = messageOf(cause)
  return new TidepoolError('point-unreadable', `point ${point} of project ${id} can't be had back: ${why}`, {
    cause,
    hint: `\`tidepool stream verify --project ${id}\` tells what is damaged; an older or newer point may be whole.`,
    facts: { project: id, point },
  })
}
