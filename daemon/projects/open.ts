/**
 * Opens a project: owned, received along the cheapest path from what the pool has of it, verified by GUID, swung in
 * place and mounted. A dataset under a project's name is always one that was received whole.
 */
import { chmod, chown } from 'node:fs/promises'
import { create, rename, setProperties, type Values } from '../../native/zfs/dataset.ts'
import { unmount } from '../../native/zfs/mount.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import { allOf } from '../../pipeline/base/all-of.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { readResolved } from '../../pipeline/graph/resolve.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { type SetAside, setAside } from './aside.ts'
import { release } from './close.ts'
import { type FellBack, fallBack, isUnreadable } from './fall-back.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { withoutLeftovers } from './left-snapshots.ts'
import { mountPointOf, mountProject } from './mount-point.ts'
import { EPOCH_PROPERTY, ID_PROPERTY, liveName, POOL_PROPERTY, receivingName } from './names.ts'
import { own } from './own.ts'
import { applyProperties } from './properties.ts'
import { openWithQuota } from './quota.ts'
import { fetchInto } from './receive.ts'
import { type Resident, resident } from './resident.ts'
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
  for (let round = 0; round < ROUNDS; round++) {
    host.mayAct()
    options.onProgress?.({ step: 'plan' })
    await own(host, id, options)
    const { project } = await readResolved(host.store.catalogue, id, { ...host, ...options })
    const found = await resident(host, id, options)
    const there = found && (await withoutLeftovers(host, project, found, options))
    if (there) {
      const now = await standing(host, project, there, options)
      if (now === 'current') {
        const path = await mounted(host, project, there, options)
        return { path, dataset: there.name, project, ...story }
      }
      if (now !== 'stale' || !leadsToHead(project, there)) {
        const aside = await outOfTheWay(host, project, there, now, options)
        if (aside) story.setAside.push(aside)
        continue
      }
    }
    try {
      await bringUp(host, project, there, story, options)
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

/** The dataset is the project's present state; it only has to be seen. */
async function mounted(
  host: ProjectHost,
  project: Project,
  there: Resident,
  options: ActOptions,
): Promise<string> {
  if (there.dataset.mounted) return there.dataset.mountpoint
  options.onProgress?.({ step: 'mount' })
  if (there.dataset.refquotaBytes !== (project.statics.quotaBytes ?? undefined))
    await openWithQuota(host, there.name, project, options)
  if (there.dataset.mountpoint !== mountPointOf(host, there.id))
    await setProperties(host.zfs, there.name, { mountpoint: mountPointOf(host, there.id) })
  return mountProject(host, there.name, options)
}

interface Story {
  receivedStreams: number
  receivedBytes: bigint
  readonly setAside: SetAside[]
}

/** Afterwards the dataset under the project's name is at the head as it was read, under the epoch of that read. */
async function bringUp(
  host: ProjectHost,
  project: Project,
  stale: Resident | undefined,
  story: Story,
  options: ActOptions,
): Promise<void> {
  const { zfs } = host
  const run = runOf(options)
  if (stale) {
    await unmount(zfs, stale.name, run)
    // Raised elsewhere: a receive of more than 1.5 GiB past the old one would be refused.
    const { refquotaBytes } = stale.dataset
    const { quotaBytes } = project.statics
    if (refquotaBytes !== undefined && (quotaBytes === null || quotaBytes > refquotaBytes))
      await openWithQuota(host, stale.name, project, options)
  }
  const fetched = await fetchInto(host, project, stale, options)
  story.receivedStreams += fetched.streams
  story.receivedBytes += fetched.bytes
  const live = liveName(host.parent, project.id)
  const fresh = fetched.into !== undefined && fetched.into !== live
  const name = fetched.into ?? receivingName(host.parent, project.id)
  if (fetched.into === undefined) await create(zfs, name, {}, run)
  const { properties, epoch } = project.statics
  const set = (values: Values) => setProperties(zfs, name, values, run)
  await allOf([
    set({ mountpoint: mountPointOf(host, project.id) }),
    set({ [ID_PROPERTY]: project.id, [POOL_PROPERTY]: host.poolGuid }),
    openWithQuota(host, name, project, options),
    applyProperties(host, name, properties),
  ])
  if (fetched.into === undefined) await giveToOwner(host, project, name, options)
  // Last: whoever finds the epoch finds all the rest.
  await set({ [EPOCH_PROPERTY]: String(epoch) })
  if (fetched.into !== undefined && !fresh) return
  // The graph changed meanwhile, and what was there leads nowhere any more.
  if (stale) story.setAside.push(await setAside(host, stale, 'no streams lead on from what it has', options))
  await rename(zfs, name, live, run)
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
