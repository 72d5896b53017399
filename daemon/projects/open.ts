/**
 * Opens a project: owned, received along the cheapest path from what the pool has of it, verified by GUID, swung in
 * place and mounted. A dataset under a project's name is always one that was received whole.
 */
import { chmod, chown } from 'node:fs/promises'
import { create, destroyDataset, rename, setProperties } from '../../native/zfs/dataset.ts'
import { unmount } from '../../native/zfs/mount.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import { allOf } from '../../pipeline/base/all-of.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import { readResolved } from '../../pipeline/graph/resolve.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { type SetAside, setAside } from './aside.ts'
import { release } from './close.ts'
import { type FellBack, fallBack, isUnreadable } from './fall-back.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { withoutLeftovers } from './left-snapshots.ts'
import { mountPointOf, mountProject } from './mount-point.ts'
import { EPOCH_PROPERTY, ID_PROPERTY, liveName, POOL_PROPERTY, receivingName } from './names.ts'
import { ownAndLook } from './own-and-look.ts'
import { applyProperties } from './properties.ts'
import { openWithQuota } from './quota.ts'
import { fetchInto } from './receive.ts'
import { type Looked, newest, type Resident, resident } from './resident.ts'
import { leadsToHead, outOfTheWay } from './retire.ts'
import { standing } from './standing.ts'

export interface Opened {
  readonly path: string
  readonly dataset: DatasetName
  readonly project: Project
  /** Streams that were received for it, and their bytes; 0 where the pool had all of it. */
  readonly receivedStreams: number
  readonly receivedBytes: bigint
  /** Newer points that could not be received, each with why. */
  readonly fellBack: readonly FellBack[]
  /** Where things went that the pool had under its name. */
  readonly setAside: readonly SetAside[]
}

/** Each time something changed under it; more often, and somebody else is at work in the same project. */
const ROUNDS = 5

/**
 * Under the project's lock. Opening what is open costs one read of the store. Where it fails and the pool has nothing of the
 * project, another host may own it at once.
 */
export function open(host: ProjectHost, id: ProjectId, options: ActOptions = {}): Promise<Opened> {
  return host.locks.hold(id, 'open', options.signal, async () => {
    const refusal = host.refusal?.()
    // What is open stays so until it is let go.
    if (refusal && !(await resident(host, id, options))?.dataset.mounted) throw refusal
    try {
      return await openLocked(host, id, options)
    } catch (error) {
      await letGo(host, id).catch(() => {})
      throw error
    }
  })
}

/** Best effort: whoever opens it here again owns it already. */
async function letGo(host: ProjectHost, id: ProjectId): Promise<void> {
  if (!(await resident(host, id))) await release(host, id)
}

/** The same for whoever holds the lock already. */
export async function openLocked(
  host: ProjectHost,
  id: ProjectId,
  options: ActOptions = {},
): Promise<Opened> {
  const story = {
    receivedStreams: 0,
    receivedBytes: 0n,
    fellBack: [] as FellBack[],
    setAside: [] as SetAside[],
  }
  const opened = (path: string, project: Project): Opened => {
    host.untouched.forget(id)
    return { path, dataset: liveName(host.parent, id), project, ...story }
  }
  for (let round = 0; round < ROUNDS; round++) {
    host.mayAct()
    options.onProgress?.({ step: 'plan' })
    const { project, there: found, notRenamed } = await ownAndLook(host, id, options)
    const there = found && (await withoutLeftovers(host, project, found, options))
    if (there) {
      const now = await standing(host, project, there, options)
      if (now === 'current') return opened(await mounted(host, project, there, options), project)
      if (now === 'stale' && isHead(project, there))
        return opened(await adopted(host, project, there, options), project)
      if (now !== 'stale' || !leadsToHead(project, there)) {
        const aside = await outOfTheWay(host, project, there, now, options)
        if (aside) story.setAside.push(aside)
        continue
      }
    }
    try {
      const point = await bringUp(host, project, { there, notRenamed }, story, options)
      const { project: after } = await readResolved(host.store.catalogue, id, { ...host, ...options })
      // What another one did to it meanwhile is seen by the next round.
      if (!isSameState(project, after) || after.statics.head !== point) continue
      options.onProgress?.({ step: 'mount' })
      return opened(await mountedThere(host, liveName(host.parent, id), id, options), after)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      story.fellBack.push((await fallBack(host, project, error, options)).fellBack)
    }
  }
  throw new TidepoolError('project-busy', `project ${id} changed ${ROUNDS} times while it was opened`, {
    temporary: true,
    hint: 'Something else works on the same project, perhaps by hand: see its events, and try again.',
  })
}

const runOf = ({ signal }: ActOptions) => (signal ? { signal } : {})

/** Of the same owner and under the same epoch, so that what was done for the one counts for the other. */
const isSameState = ({ statics: before }: Project, { statics: after }: Project): boolean =>
  after.life === 'live' && after.owner === before.owner && after.epoch === before.epoch

/** Nothing has to be received: what it is at is the head still. */
const isHead = ({ statics: { head } }: Project, there: Resident): boolean =>
  head !== null && newest(there)?.guid === head && !there.dataset.mounted

async function mountedThere(
  host: ProjectHost,
  name: DatasetName,
  id: ProjectId,
  { signal }: ActOptions,
): Promise<string> {
  await host.writable?.(id, { signal })
  return mountProject(host, name, { signal, mountpoint: mountPointOf(host, id) })
}

/** The dataset is the project's present state; it only has to be seen. */
async function mounted(
  host: ProjectHost,
  project: Project,
  there: Resident,
  options: ActOptions,
): Promise<string> {
  if (there.dataset.mounted) return there.dataset.mountpoint
  options.onProgress?.({ step: 'mount' })
  await setWhatDiffers(host, project, there)
  return mountedThere(host, there.name, there.id, options)
}

/**
 * A clean copy of what is the head still, opened under an earlier epoch: only that has to be told to it, while it is mounted. Its users
 * hear of it when both are done; where only the mount was, what somebody writes there all the same becomes a side point.
 */
async function adopted(
  host: ProjectHost,
  project: Project,
  there: Resident,
  options: ActOptions,
): Promise<string> {
  options.onProgress?.({ step: 'mount' })
  await setWhatDiffers(host, project, there)
  try {
    const [path] = await allOf([
      mountedThere(host, there.name, there.id, options),
      setProperties(
        host.zfs,
        there.name,
        { [EPOCH_PROPERTY]: String(project.statics.epoch) },
        runOf(options),
      ),
    ])
    return path
  } catch (error) {
    await unmount(host.zfs, there.name).catch(() => {})
    throw error
  }
}

/** Looked up before in what was listed anyway: each that is set is a command, and on zfs-fuse a wait for the disk. */
async function setWhatDiffers(host: ProjectHost, project: Project, there: Resident): Promise<void> {
  const mountpoint = mountPointOf(host, there.id)
  const { refquotaBytes } = there.dataset
  await allOf([
    ...(refquotaBytes === (project.statics.quotaBytes ?? undefined)
      ? []
      : [openWithQuota(host, there.name, project)]),
    setProperties(host.zfs, there.name, there.dataset.mountpoint === mountpoint ? {} : { mountpoint }),
    applyProperties(host, there, project.statics.properties),
  ])
}

interface Story {
  receivedStreams: number
  receivedBytes: bigint
  readonly setAside: SetAside[]
}

/**
 * Afterwards the dataset under the project's name is at the point that this resolves with, under the epoch of the project as it was read;
 * null for a project that has none yet.
 */
async function bringUp(
  host: ProjectHost,
  project: Project,
  { there: stale, notRenamed }: Looked,
  story: Story,
  options: ActOptions,
): Promise<Guid | null> {
  const { zfs } = host
  const run = runOf(options)
  const { quotaBytes, properties, epoch, head } = project.statics
  const live = liveName(host.parent, project.id)
  const given = {
    mountpoint: mountPointOf(host, project.id),
    [ID_PROPERTY]: project.id,
    [POOL_PROPERTY]: host.poolGuid,
    [EPOCH_PROPERTY]: String(epoch),
  }
  if (stale) {
    await unmount(zfs, stale.name, run)
    // Raised elsewhere: a receive of more than 1.5 GiB past the old one would be refused.
    const { refquotaBytes } = stale.dataset
    if (refquotaBytes !== undefined && (quotaBytes === null || quotaBytes > refquotaBytes))
      await openWithQuota(host, stale.name, project, options)
  }
  const fetched = await fetchInto(host, project, stale, { ...options, set: given })
    // It is settled before this ends, and a project that was renamed is never received beside itself.
    .finally(() => Promise.allSettled([notRenamed]))
  story.receivedStreams += fetched.streams
  story.receivedBytes += fetched.bytes
  if (stale && fetched.into === live) {
    await setWhatDiffers(host, project, stale)
    // Last: whoever finds the epoch finds all the rest.
    await setProperties(zfs, live, { [EPOCH_PROPERTY]: String(epoch) }, run)
    return fetched.point
  }
  const name = fetched.into ?? receivingName(host.parent, project.id)
  try {
    await notRenamed
    if (fetched.into === undefined) await create(zfs, name, given, run)
    if (quotaBytes !== null) await openWithQuota(host, name, project, options)
    // Before its properties: what is `readonly` can't be given to anybody.
    if (fetched.into === undefined) await giveToOwner(host, project, name, options)
    await applyProperties(host, { name }, properties)
    // The graph changed meanwhile, and what was there leads nowhere any more.
    if (stale)
      story.setAside.push(await setAside(host, stale, 'no streams lead on from what it has', options))
    // Its name is last: under another one nobody takes it for the project.
    await rename(zfs, name, live, run)
  } catch (error) {
    await destroyDataset(zfs, name, { withSnapshots: true }).catch(() => {})
    throw error
  }
  return fetched.into === undefined ? head : fetched.point
}

/** An empty project is its owner's from the first moment on. */
async function giveToOwner(
  host: ProjectHost,
  { statics: { uid, gid } }: Project,
  name: DatasetName,
  options: ActOptions,
): Promise<void> {
  const path = await mountProject(host, name, options)
  await chmod(path, 0o700)
  if (uid !== null && gid !== null) await chown(path, uid, gid)
  await unmount(host.zfs, name)
}
