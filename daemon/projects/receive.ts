/** Brings a point of a project into the pool, its head or another: on top of what is there of it, where that is a start, else from nothing. */
import { destroyDataset, type Values } from '../../native/zfs/dataset.ts'
import { type DatasetName, tagOf } from '../../native/zfs/names.ts'
import { receive } from '../../native/zfs/receive.ts'
import type { Guid } from '../../pipeline/base/ids.ts'
import type { Life, Project, WriteRow } from '../../pipeline/graph/state.ts'
import { throughCache } from '../../pipeline/transfer/cached-download.ts'
import { restore } from '../../pipeline/transfer/restore.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { receivingName } from './names.ts'
import { counted } from './progress.ts'
import { newest, type Resident } from './resident.ts'

export interface Fetched {
  /** Where it is now; undefined for a project that has no point yet. */
  readonly into: DatasetName | undefined
  /** Null likewise. */
  readonly point: Guid | null
  readonly streams: number
  readonly bytes: bigint
}

export interface FetchOptions extends ActOptions {
  /** @default the head */
  readonly to?: Guid
  /** @default live alone */
  readonly lives?: readonly Life[]
  /** What a dataset that is received from nothing is given. */
  readonly set?: Values
}

/** Where it rejects, a new dataset is gone again; the stale one stays at the last point that it received whole. */
export async function fetchInto(
  host: ProjectHost,
  project: Project,
  stale: Pick<Resident, 'name' | 'snapshots'> | undefined,
  options: FetchOptions = {},
): Promise<Fetched> {
  const { store, limiter, streamCache, zfs } = host
  const run = options.signal ? { signal: options.signal } : {}
  const start = stale && newest(stale)
  let into = start && stale?.name
  let fresh: DatasetName | undefined
  const taken = new Set<string>(stale?.snapshots.map(({ name }) => tagOf(name)))
  let streams = 0
  let bytes = 0n
  let doneBytes = 0n
  let totalBytes = 0n
  const target = async (row: WriteRow): Promise<DatasetName> => {
    if (row.from !== null && into !== undefined) return into
    // Planned again from nothing: what was received of the earlier plan leads nowhere.
    if (fresh !== undefined) await destroyDataset(zfs, fresh, { withSnapshots: true })
    fresh = receivingName(host.parent, project.id)
    into = fresh
    taken.clear()
    return into
  }
  try {
    const point = await restore({
      store,
      limiter,
      project: project.id,
      ...(options.to !== undefined && { to: options.to }),
      ...(options.lives && { lives: options.lives }),
      ...(streamCache && { download: throughCache(streamCache) }),
      have: start ? [start.guid] : [],
      ...run,
      onPlan: (path) => {
        totalBytes = doneBytes + path.reduce((sum, { manifest }) => sum + (manifest?.bytes ?? 0n), 0n)
        options.onProgress?.({ step: 'fetch', doneBytes, totalBytes })
      },
      receive: async (row, pieces) => {
        const name = await target(row)
        const tag = freeTag(taken, row)
        const told = counted(pieces, (length) => {
          doneBytes += BigInt(length)
          options.onProgress?.({ step: 'receive', doneBytes, totalBytes })
        })
        await receive(zfs, name, told, {
          to: row.to,
          ...(row.from !== null && { from: row.from }),
          ...(tag !== tagIn(row) && { tag }),
          ...(options.set && { set: options.set }),
          isDrawn: true,
          ...run,
        })
        taken.add(tag)
        streams += 1
        bytes += row.manifest?.bytes ?? 0n
      },
    })
    return { into, point, streams, bytes }
  } catch (error) {
    if (fresh !== undefined) await destroyDataset(zfs, fresh, { withSnapshots: true }).catch(() => {})
    throw error
  }
}

const tagIn = ({ manifest }: WriteRow): string | undefined => manifest?.stream.toName.split('@')[1]

/** A name that was used for two snapshots of the project in its time can't stand twice in one dataset. */
function freeTag(taken: ReadonlySet<string>, row: WriteRow): string {
  const tag = tagIn(row)
  if (tag === undefined) return `tidepool-${row.to}`
  return taken.has(tag) ? `${tag}.${row.to}` : tag
}
