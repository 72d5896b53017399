/** A copy of a snapshot that this pool holds, as a dataset of its own: not a clone, which would keep its origin from leaving. */
import { dataset, findSnapshot, listSnapshots, type Snapshot } from '../../native/zfs/list.ts'
import { type DatasetName, datasetOf } from '../../native/zfs/names.ts'
import { receive } from '../../native/zfs/receive.ts'
import { send, usualFlags } from '../../native/zfs/send.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { liveName, OUR_PROPERTIES } from './names.ts'
import { whyForeign } from './resident.ts'

/** The snapshots of the project's dataset; none where it has none here. */
export async function heldSnapshots(
  host: ProjectHost,
  id: ProjectId,
  { signal }: ActOptions = {},
): Promise<readonly Snapshot[]> {
  const run = signal ? { signal } : {}
  const live = await dataset(host.zfs, liveName(host.parent, id), { ...run, user: OUR_PROPERTIES })
  return live && whyForeign(host, id, live) === undefined ? listSnapshots(host.zfs, live.name, run) : []
}

/** Where it rejects, nothing of it is left. Nothing is held: what must go meanwhile goes, and the copy is then no good. */
export async function copyInPool(
  { zfs }: ProjectHost,
  from: Snapshot,
  into: DatasetName,
  { signal }: ActOptions = {},
): Promise<Snapshot> {
  const source = async function* (ended: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* send(zfs, from.name, { flags: usualFlags(zfs.capabilities), signal: ended })
    // zfs-fuse lets it be destroyed under its send.
    if (await findSnapshot(zfs, datasetOf(from.name), from.guid, { signal: ended })) return
    throw new TidepoolError('snapshot-gone', `${from.name} was destroyed while it was copied`, {
      temporary: true,
      hint: 'Try again: another way to the same point is taken then.',
    })
  }
  return receive(zfs, into, source, { to: from.guid, ...(signal && { signal }) })
}
