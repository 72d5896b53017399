/** Brings a point of a project into the pool, its head or another: on top of what is there of it, where that is a start, else from nothing. */
import { destroyDataset } from '../../native/zfs/dataset.ts'
import { exists } from '../../native/zfs/get.ts'
import { type DatasetName, snapshotOf } from '../../native/zfs/names.ts'
import { receive } from '../../native/zfs/receive.ts'
import type { Guid } from '../../pipeline/base/ids.ts'
import type { Life, Project, WriteRow } from '../../pipeline/graph/state.ts'
import { throughCache } from '../../pipeline/transfer/cached-download.ts'
import { restore } from '../../pipeline/transfer/restore.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { receivingName } from './names.ts'
import { newest, type Resident } from './resident.ts'

export interface Fetched {
  /** Where it is now; undefined for a project that has no point yet. */
  readonly into: DatasetName | undefined
  readonly streams: number
  readonly bytes: bigint
}

export interface FetchOptions extends ActOptions {
  /** @default the head */
  readonly to?: Guid
  /** @default live alone */
  readonly lives?: readonly Life[]
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
  let streams = 0
  let bytes = 0n
  const target = async (row: WriteRow): Promise<DatasetName> => {
    if (row.from !== null && into !== undefined) return into
    // Planned again from nothing: what was received of the earlier plan leads nowhere.
    if (fresh !== undefined) await destroyDataset(zfs, fresh, { withSnapshots: true })
    fresh = receivingName(host.parent, project.id)
    into = fresh
    return into
  }
  try {
    await restore({
      store,
      limiter,
      project: project.id,
      ...(options.to !== undefined && { to: options.to }),
      ...(options.lives && { lives: options.lives }),
      ...(streamCache && { download: throughCache(streamCache) }),
      have: start ? [start.guid] : [],
      ...run,
      receive: async (row, pieces) => {
        const name = await target(row)
        options.onPhase?.('receive')
        const tag = await freeTag(host, name, row)
        await receive(zfs, name, pieces, {
          to: row.to,
          ...(row.from !== null && { from: row.from }),
          ...(tag !== undefined && { tag }),
          ...run,
        })
        streams += 1
        bytes += row.manifest?.bytes ?? 0n
      },
    })
    return { into, streams, bytes }
  } catch (error) {
    if (fresh !== undefined) await destroyDataset(zfs, fresh, { withSnapshots: true }).catch(() => {})
    throw error
  }
}

/** A name that was used for two snapshots of the project in its time can't stand twice in one dataset. */
async function freeTag(
  { zfs }: ProjectHost,
  name: DatasetName,
  { from, to, manifest }: WriteRow,
): Promise<string | undefined> {
  const tag = manifest?.stream.toName.split('@')[1]
  if (tag === undefined) return `tidepool-${to}`
  if (from === null || !(await exists(zfs, snapshotOf(name, tag)))) return undefined
  return `${tag}.${to}`
}
