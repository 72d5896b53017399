/**
 * What a start finds, judged by what is really there: one listing of the pool, and what the store says that this host
 * left half-done. Idempotent; what is healthy is not touched, and costs nothing in the store.
 */
import { destroyDataset } from '../../native/zfs/dataset.ts'
import { type Brief, listInBrief } from '../../native/zfs/list.ts'
import { unmount } from '../../native/zfs/mount.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import type { ProjectId, WriteId } from '../../pipeline/base/ids.ts'
import { abandonWrite } from '../../pipeline/graph/removal.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import {
  EPOCH_PROPERTY,
  ID_PROPERTY,
  idOfName,
  OUR_PROPERTIES,
  POINT_PROPERTY,
  roleOf,
  WHY_PROPERTY,
} from './names.ts'
import { refuseStuck } from './quarantine.ts'
import { whyForeign } from './resident.ts'
import { asRestored, type Restored } from './restored.ts'

export interface FoundResident {
  readonly id: ProjectId
  readonly name: DatasetName
  readonly openedEpoch: bigint
  readonly mounted: boolean
  readonly usedBytes: bigint
  /** Since its newest snapshot; undefined where this ZFS does not count it. */
  readonly writtenBytes: bigint | undefined
}

export interface Aside {
  readonly id: ProjectId
  readonly name: DatasetName
  /** Undefined where a full pool would not take it down. */
  readonly why: string | undefined
}

export interface Found {
  readonly residents: readonly FoundResident[]
  /** What was set aside, by earlier lives and forks. */
  readonly aside: readonly Aside[]
  /** Old points beside their projects. */
  readonly restored: readonly Restored[]
  /** Ours by its properties, under a name that is not its own. */
  readonly renamed: readonly { readonly id: ProjectId; readonly name: DatasetName }[]
  /** None of ours, each with why: left alone. */
  readonly unknown: readonly { readonly name: DatasetName; readonly why: string }[]
}

export interface Reconciled extends Found {
  /** What an open or a restore had begun to receive. */
  readonly removed: readonly DatasetName[]
  /** Writes that an earlier session left, and what became of them. */
  readonly writes: readonly {
    readonly project: ProjectId
    readonly writeId: WriteId
    readonly state: string
  }[]
  /** What could not be done now; the next start does it. */
  readonly left: readonly { readonly what: string; readonly error: unknown }[]
}

export async function reconcile(host: ProjectHost, options: ActOptions = {}): Promise<Reconciled> {
  const left: { what: string; error: unknown }[] = []
  const { temporary, ...found } = await survey(host, options)
  const removed: DatasetName[] = []
  for (const { name, mounted } of temporary) {
    try {
      // What works on it can't be ended: another command would wait for it in the kernel, for as long.
      const id = idOfName(host.parent, name)
      if (id) refuseStuck(host, id)
      if (mounted) await unmount(host.zfs, name, options.signal ? { signal: options.signal } : {})
      if (await destroyDataset(host.zfs, name, { ...options, withSnapshots: true })) removed.push(name)
    } catch (error) {
      options.signal?.throwIfAborted()
      left.push({ what: `removal of ${name}`, error })
    }
  }
  return { ...found, removed, writes: await endWrites(host, left, options), left }
}

interface Survey extends Found {
  readonly temporary: readonly Brief[]
}

/** One listing, however many there are. */
export async function survey(host: ProjectHost, { signal }: ActOptions = {}): Promise<Survey> {
  const residents: FoundResident[] = []
  const aside: Aside[] = []
  const restored: Restored[] = []
  const renamed: { id: ProjectId; name: DatasetName }[] = []
  const unknown: { name: DatasetName; why: string }[] = []
  const temporary: Brief[] = []
  const listed = listInBrief(host.zfs, host.parent, {
    ...(signal && { signal }),
    user: [...OUR_PROPERTIES, POINT_PROPERTY, WHY_PROPERTY],
  })
  for await (const dataset of listed) {
    const { name, user, mounted } = dataset
    const role = roleOf(name)
    const id = (user.get(ID_PROPERTY) ?? role?.id) as ProjectId | undefined
    const foreign = id === undefined ? `it has no property ${ID_PROPERTY}` : whyForeign(host, id, dataset)
    // Until an open has brought it to its end, a dataset has no property of ours: its name is all there is.
    if (role?.role === 'receiving') temporary.push(dataset)
    else if (role?.role === 'restored') {
      const found = asRestored(host, dataset)
      if (typeof found === 'string') unknown.push({ name, why: found })
      else restored.push(found)
    } else if (foreign !== undefined || id === undefined)
      unknown.push({ name, why: foreign ?? 'it has no id' })
    else if (role?.role === 'aside') aside.push({ id, name, why: user.get(WHY_PROPERTY) })
    else if (role?.id !== id) renamed.push({ id, name })
    else
      residents.push({
        id,
        name,
        mounted,
        usedBytes: dataset.usedBytes,
        writtenBytes: dataset.writtenBytes,
        openedEpoch: BigInt(user.get(EPOCH_PROPERTY) ?? 0),
      })
  }
  return { residents, aside, restored, renamed, unknown, temporary }
}

/** No write can be continued: its stream ended with the process that sent it. The dataset has all of it still. */
async function endWrites(
  host: ProjectHost,
  left: { what: string; error: unknown }[],
  options: ActOptions,
): Promise<Reconciled['writes']> {
  const { store } = host
  const writes: { project: ProjectId; writeId: WriteId; state: string }[] = []
  for await (const { project, row } of store.catalogue.writing(host.host, options)) {
    if (row.session !== host.session && !host.isEnded(row.session)) continue
    try {
      const { state } = await abandonWrite(store, project, row, options)
      writes.push({ project, writeId: row.writeId, state })
    } catch (error) {
      options.signal?.throwIfAborted()
      left.push({ what: `end of write ${row.writeId} of ${project}`, error })
    }
  }
  return writes
}
