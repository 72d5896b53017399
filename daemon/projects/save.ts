/**
 * Saves a project: what the store has not becomes a stream in it, and the head where the dataset descends from it.
 * The dataset may be in use all the while. Whatever ends it half-way, the dataset keeps all that it had.
 */
import { destroySnapshot } from '../../native/zfs/dataset.ts'
import { listSnapshots, type Snapshot } from '../../native/zfs/list.ts'
import type { BookmarkName, SnapshotName } from '../../native/zfs/names.ts'
import { alwaysBrings, flagsWithin, type SendFlags, send, usualFlags } from '../../native/zfs/send.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid, ProjectId, WriteId } from '../../pipeline/base/ids.ts'
import { savesAs } from '../../pipeline/graph/descent.ts'
import { readResolved } from '../../pipeline/graph/resolve.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { isPoint } from '../../pipeline/graph/transitions/points.ts'
import type { Source } from '../../pipeline/transfer/chunker.ts'
import { putStream } from '../../pipeline/transfer/put.ts'
import { chooseBase } from './base.ts'
import type { ProjectHost } from './host.ts'
import { currentSnapshot, type EndOptions } from './news.ts'
import type { Footprint } from './quiet.ts'
import { tooManySnapshots } from './quota.ts'
import { holds, newest, type Resident, requireResident } from './resident.ts'
import { SendHold } from './send-hold.ts'
import { trim } from './trim.ts'

export type Saved =
  | {
      readonly kind: 'unchanged'
      /** Whether what is here is the project's head, or something beside it. */
      readonly as: 'head' | 'side'
      readonly point: Guid
      readonly project: Project
      /** What showed that: as long as it shows the same, the store has all of it. */
      readonly footprint: Footprint
    }
  | {
      readonly kind: 'saved'
      readonly as: 'head' | 'side'
      readonly placement: 'head' | 'side' | 'parallel'
      readonly point: Guid
      readonly base: Guid | null
      readonly bytes: bigint
      readonly writeId: WriteId
      readonly project: Project
    }

export interface SaveOptions extends EndOptions {
  /** A point that its commit lets not go, whatever the policy says. */
  readonly wanted?: Guid
}

/** Under the project's lock. Rejects with `not-resident` where there is nothing to save. */
export function save(host: ProjectHost, id: ProjectId, options: SaveOptions = {}): Promise<Saved> {
  return host.locks.hold(id, 'save', options.signal, async () => {
    return saveResident(host, await requireResident(host, id, options), options)
  })
}

/** The same for whoever holds the lock already. */
export async function saveResident(
  host: ProjectHost,
  there: Resident,
  options: SaveOptions = {},
): Promise<Saved> {
  host.mayAct()
  const { store } = host
  const { project } = await readResolved(store.catalogue, there.id, { ...host, ...callOf(options) })
  const as = allowed(host, project, there)
  const before = newest(there)
  options.onProgress?.({ step: 'snapshot' })
  const end = await currentSnapshot(host, there, options)
  if (end.guid === before?.guid && settledAt(project, end.guid, as))
    return { kind: 'unchanged', as, point: end.guid, project, footprint: there.dataset }
  const refusal = tooManySnapshots(host, there, project.statics.quotaBytes)
  if (refusal) {
    // One more would make it worse, and the next try makes one again.
    const isNew = !there.snapshots.some(({ guid }) => guid === end.guid)
    if (isNew) await destroySnapshot(host.zfs, end.name, end.guid, callOf(options))
    throw refusal
  }
  // `end` may be one that is a point already where it was left over, or the dataset was rolled back to it by hand.
  return sendStep(host, { ...there, snapshots: upTo(there, end) }, { project, end, as }, options)
}

const upTo = ({ snapshots }: Resident, end: Snapshot): readonly Snapshot[] =>
  snapshots.at(-1)?.guid === end.guid ? snapshots : [...snapshots, end]

const callOf = ({ signal }: EndOptions) => (signal ? { signal } : {})

function allowed(host: ProjectHost, project: Project, there: Resident): 'head' | 'side' {
  const as = savesAs(project, { host: host.host, openedEpoch: there.openedEpoch, holds: holds(there) })
  if (as !== 'earlier-life') return as
  throw new TidepoolError(
    'earlier-life',
    `${there.name} is of an earlier life of project ${project.id}, which was purged since`,
    { hint: 'It is set aside by the next open, and never saved; copy by hand what is still wanted of it.' },
  )
}

/** Whether the store needs nothing more of that snapshot. Not every point will do: rolled back by hand is a change. */
function settledAt(project: Project, point: Guid, as: 'head' | 'side'): boolean {
  return as === 'head' ? project.statics.head === point : isPoint(project, point)
}

interface Step {
  readonly project: Project
  readonly end: Snapshot
  readonly as: 'head' | 'side'
}

type Base = { readonly guid: Guid; readonly name: SnapshotName | BookmarkName }

async function sendStep(
  host: ProjectHost,
  there: Resident,
  { project, end, as }: Step,
  options: SaveOptions,
): Promise<Saved> {
  const { zfs, store, limiter } = host
  const { onProgress } = options
  const flags = await receivableFlags(host, callOf(options))
  const base = baseOf(project, there, end)
  const held = new SendHold(zfs, keepsWhatItSends(host) ? [] : [end, base].filter(isSnapshot))
  try {
    onProgress?.({ step: 'send', doneBytes: 0n })
    const source: Source = (signal) =>
      send(zfs, end.name, { ...(base && { from: base.name }), flags, signal })
    const put = await putStream(source, {
      store,
      limiter,
      priority: 'save',
      project: there.id,
      host: host.host,
      session: host.session,
      place: (now) => placed(host, now, there, end),
      verify: (signal) => stillThere(host, there, { base, end, held }, signal),
      retention: {
        policy: host.settings.retention,
        ...(options.wanted !== undefined && { wanted: options.wanted }),
      },
      usage: {
        referencedBytes: end.referencedBytes,
        usedBytes: there.dataset.usedBytes,
        ...(there.dataset.logicalBytes !== undefined && { logicalBytes: there.dataset.logicalBytes }),
      },
      ...callOf(options),
      ...(onProgress && {
        onProgress: (doneBytes) => onProgress({ step: 'send', doneBytes }),
        onSealed: () => onProgress({ step: 'commit' }),
      }),
    })
    await held.end()
    if (as === 'head') await trim(host, there, put.project, end)
    return {
      kind: 'saved',
      as: put.placement === 'head' ? 'head' : 'side',
      placement: put.placement,
      point: put.to,
      base: put.from,
      bytes: put.manifest.bytes,
      writeId: put.writeId,
      project: put.project,
    }
  } finally {
    // A hold that stays is ended when a later save trims its snapshot.
    await held.end().catch(() => {})
  }
}

/** zfs-fuse lets a snapshot be destroyed while it is sent. */
const keepsWhatItSends = ({ zfs }: ProjectHost): boolean => zfs.capabilities.written

const isSnapshot = (one: Base | null): one is Base & { readonly name: SnapshotName } =>
  one?.name.includes('@') === true

function baseOf(project: Project, { snapshots, bookmarks, dataset }: Resident, end: Snapshot): Base | null {
  const earlier = [...bookmarks, ...snapshots]
    .filter(({ guid, createTxg }) => guid !== end.guid && createTxg <= end.createTxg)
    .sort((a, b) => Number(a.createTxg - b.createTxg))
  return chooseBase<Base>(project, earlier, (newestBase) => {
    const at = snapshots.find(({ guid }) => guid === newestBase.guid)
    if (!at) return dataset.writtenBytes ?? end.referencedBytes
    // What is referenced more, and what was there and is no longer: about what a step brings.
    const grown = end.referencedBytes - at.referencedBytes
    return (grown > 0n ? grown : 0n) + at.usedBytes
  })
}

/** What the stream becomes in a project read anew; `parallel` where its end is a point that only needs another way to it. */
function placed(
  host: ProjectHost,
  now: Project,
  there: Resident,
  end: Snapshot,
): 'head' | 'side' | 'parallel' {
  const as = allowed(host, now, there)
  if (as === 'side' && isPoint(now, end.guid)) return 'parallel'
  return as
}

/** The flags for streams that every host of the store can receive; rejects where this host can send none of those. */
async function receivableFlags({ zfs, store }: ProjectHost, { signal }: EndOptions): Promise<SendFlags> {
  const { receivable } = await store.catalogue.info(signal ? { signal } : {})
  const foreign = receivable
    ? alwaysBrings(zfs.capabilities).filter((feature) => !receivable.includes(feature))
    : []
  if (foreign.length > 0)
    throw new TidepoolError(
      'features-not-receivable',
      `every stream of this host's ZFS uses ${foreign.join(', ')}, which not every host of this store can receive`,
      {
        hint: 'Keep its projects in a store of hosts with OpenZFS, or let it in: `tidepool store receivable` says which hosts can receive it.',
      },
    )
  return flagsWithin(usualFlags(zfs.capabilities), receivable)
}

interface Sent {
  readonly base: Base | null
  readonly end: Snapshot
  readonly held: SendHold
}

/** Where ZFS keeps not what it sends, one more look after the last byte: base and end must still be there. */
async function stillThere(
  host: ProjectHost,
  there: Resident,
  { base, end, held }: Sent,
  signal: AbortSignal,
): Promise<void> {
  if (keepsWhatItSends(host)) return
  await held.over()
  const now = await listSnapshots(host.zfs, there.name, { signal })
  for (const one of [end, base])
    if (one && !now.some(({ guid }) => guid === one.guid))
      throw new TidepoolError('snapshot-gone', `${one.name} was destroyed while it was sent`, {
        temporary: true,
        hint: 'Nothing was committed; the next save sends from what is there.',
      })
  // While the store makes it durable; whether that went well is seen once it is committed.
  held.end().catch(() => {})
}
