/** Changes of datasets and snapshots: each one command, each safe to repeat, each looked at before it destroys anything. */
import { allOf } from '../../pipeline/base/all-of.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid } from '../../pipeline/base/ids.ts'
import { mountsOf } from '../mount/mountinfo.ts'
import { whileBusy } from './busy.ts'
import { ZfsError, type ZfsErrorCode } from './errors.ts'
import { value } from './get.ts'
import { listSnapshots, type Snapshot } from './list.ts'
import {
  type BookmarkName,
  type DatasetName,
  datasetOf,
  type SnapshotName,
  type UserProperty,
} from './names.ts'
import type { RunOptions } from './run.ts'
import type { Zfs } from './zfs.ts'

export type Values = Readonly<Record<string, string>>

/** At 8192 bytes zfs-fuse's `zfs` aborts; an empty value it takes for a mistake. */
const MAX_VALUE_BYTES = 8191

function checkValue(name: string, text: string): void {
  // A newline or tab would be kept, and break every list that anybody reads by line.
  const bad = text === '' ? 'is empty' : /\p{Cc}/u.test(text) ? 'has a control character' : undefined
  const why =
    bad ?? (Buffer.byteLength(text) > MAX_VALUE_BYTES ? `is longer than ${MAX_VALUE_BYTES} bytes` : undefined)
  if (why)
    throw new TidepoolError(
      'bad-value',
      `the value for ${name} ${why}: ${JSON.stringify(text.slice(0, 100))}`,
      {
        hint: 'To have it unset, inherit it.',
      },
    )
}

/** As `-o` and `set` take them. Rejects what none of them may be. */
export const assignments = (values: Values): string[] =>
  Object.entries(values).map(([name, text]) => {
    checkValue(name, text)
    return `${name}=${text}`
  })

/** True where it was done; false where it fails with one of these codes, which say that it was so already. */
async function unless(codes: readonly ZfsErrorCode[], attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt()
    return true
  } catch (error) {
    if (error instanceof ZfsError && codes.includes(error.code)) return false
    throw error
  }
}

/** A new file system that is not mounted. Rejects with `dataset-exists` where the name is taken. */
export async function create(
  zfs: Zfs,
  dataset: DatasetName,
  values: Values = {},
  options: RunOptions = {},
): Promise<void> {
  const set = assignments({ canmount: 'noauto', ...values }).flatMap((one) => ['-o', one])
  await zfs.commands.change('zfs', ['create', ...set, dataset], options)
}

/** Resolves with what was made, GUID and all. Rejects with `dataset-exists` where the name is taken. */
export async function snapshot(
  zfs: Zfs,
  name: SnapshotName,
  values: Values = {},
  options: RunOptions = {},
): Promise<Snapshot> {
  return (await snapshotAmong(zfs, name, values, options)).made
}

/** The same, with all snapshots of its dataset as they are now: one listing tells both. */
export async function snapshotAmong(
  zfs: Zfs,
  name: SnapshotName,
  values: Values = {},
  options: RunOptions = {},
): Promise<{ readonly made: Snapshot; readonly all: readonly Snapshot[] }> {
  const set = assignments(values).flatMap((one) => ['-o', one])
  await zfs.commands.change('zfs', ['snapshot', ...set, name], options)
  const all = await listSnapshots(zfs, datasetOf(name), options)
  const made = all.find((found) => found.name === name)
  if (made === undefined)
    throw new TidepoolError('dataset-missing', `${name} was made and is gone`, {
      temporary: true,
      hint: 'Somebody destroyed it; try again.',
    })
  return { made, all }
}

/** False where it was not there. Rejects with `has-children` where it has snapshots or children and that was not asked for. */
export async function destroyDataset(
  zfs: Zfs,
  dataset: DatasetName,
  { withSnapshots = false, ...options }: RunOptions & { withSnapshots?: boolean } = {},
): Promise<boolean> {
  if (!dataset.includes('/'))
    throw new TidepoolError('dataset-is-pool', `${dataset} is a pool and is not destroyed as a dataset`)
  const mounts = await mountsOf(dataset, zfs.commands.settings.mountInfo)
  // `zfs destroy` would unmount it by itself; to leave is for whoever works in it, and for the caller to know.
  if (mounts.length > 0) throw mounted(dataset, mounts[0]?.mountPoint ?? '')
  // -r destroys children too: only the snapshots were meant.
  if (withSnapshots) await refuseChildren(zfs, dataset, options)
  const args = ['destroy', ...(withSnapshots ? ['-r'] : []), dataset]
  return unless(['dataset-missing'], () =>
    whileBusy(zfs, dataset, () => zfs.commands.change('zfs', args, options), { ...options, holds: true }),
  )
}

async function refuseChildren(zfs: Zfs, dataset: DatasetName, options: RunOptions): Promise<void> {
  const args = ['list', '-H', '-o', 'name', '-t', 'filesystem,volume', '-r', dataset]
  let listed: string
  try {
    listed = await zfs.commands.read('zfs', args, options)
  } catch (error) {
    if (error instanceof ZfsError && error.code === 'dataset-missing') return
    throw error
  }
  const child = listed.split('\n').find((name) => name.startsWith(`${dataset}/`))
  if (child !== undefined)
    throw new TidepoolError('has-children', `${dataset} has children: ${child}`, {
      hint: 'Destroy those first.',
    })
}

/** False where it was not there. Under its name must be the snapshot that is meant: another one is left alone. */
export async function destroySnapshot(
  zfs: Zfs,
  name: SnapshotName,
  expected: Guid,
  options: RunOptions = {},
): Promise<boolean> {
  const found = await value(zfs, name, 'guid', options)
  if (found === undefined) return false
  if (found !== expected)
    throw new TidepoolError(
      'snapshot-changed',
      `${name} has the GUID ${found}, not ${expected}: it is not destroyed`,
      {
        hint: 'Somebody destroyed it and made another one of that name.',
      },
    )
  return unless(['dataset-missing'], () =>
    whileBusy(zfs, name, () => zfs.commands.change('zfs', ['destroy', name], options), {
      ...options,
      holds: true,
    }),
  )
}

function mounted(dataset: DatasetName, at: string): TidepoolError {
  return new TidepoolError('dataset-mounted', `${dataset} is mounted at ${at}`, { hint: 'Unmount it first.' })
}

/** Both names in one pool. A mounted one is refused: zfs-fuse calls it busy, others would move the mount. */
export async function rename(
  zfs: Zfs,
  from: DatasetName,
  to: DatasetName,
  options: RunOptions = {},
): Promise<void> {
  const [mount] = await mountsOf(from, zfs.commands.settings.mountInfo)
  if (mount) throw mounted(from, mount.mountPoint)
  await whileBusy(zfs, from, () => zfs.commands.change('zfs', ['rename', from, to], options), options)
}

/**
 * In one command, where ZFS takes several. zfs-fuse sets the first, complains of the second and exits with 0: there it is a command each, at
 * once, but for the mountpoint, which waits for `canmount`: what has that `on` and is given a mountpoint is mounted by it.
 */
export async function setProperties(
  zfs: Zfs,
  name: DatasetName | SnapshotName,
  values: Values,
  options: RunOptions = {},
): Promise<void> {
  const all = assignments(values)
  const set = async (...some: string[]): Promise<void> =>
    void (await zfs.commands.change('zfs', ['set', ...some, name], options))
  if (all.length === 0) return
  if (zfs.capabilities.flavour !== 'zfs-fuse') return await set(...all)
  const ordered = ['canmount=', 'mountpoint='].flatMap((name) => all.filter((one) => one.startsWith(name)))
  const inTurn = async (): Promise<void> => {
    for (const one of ordered) await set(one)
  }
  await allOf([inTurn(), ...all.filter((one) => !ordered.includes(one)).map((one) => set(one))])
}

/** As if it had never been set on it. */
export async function inheritProperty(
  zfs: Zfs,
  name: DatasetName | SnapshotName,
  property: string | UserProperty,
  options: RunOptions = {},
): Promise<void> {
  await zfs.commands.change('zfs', ['inherit', property, name], options)
}

/**
 * Back to a snapshot of an unmounted dataset; what was written since is gone. Rejects with `newer-snapshots` where there are
 * newer ones, unless they are to be destroyed too; OpenZFS destroys newer bookmarks with them.
 */
export async function rollback(
  zfs: Zfs,
  to: SnapshotName,
  { destroyNewer = false, ...options }: RunOptions & { destroyNewer?: boolean } = {},
): Promise<void> {
  const dataset = datasetOf(to)
  const [mount] = await mountsOf(dataset, zfs.commands.settings.mountInfo)
  // It works under a mount, too, yet caches go on showing what was: zfs-fuse's for an hour.
  if (mount) throw mounted(dataset, mount.mountPoint)
  const args = ['rollback', ...(destroyNewer ? ['-r'] : []), to]
  await whileBusy(
    zfs,
    dataset,
    () => zfs.commands.change('zfs', args, options).catch(busyAfterUnmount(zfs)),
    {
      ...options,
      holds: true,
    },
  )
}

/** In the moment after an unmount zfs-fuse calls a rollback an I/O error, about one time in three; the next one works. */
function busyAfterUnmount({ capabilities }: Zfs): (error: unknown) => never {
  return (error) => {
    if (capabilities.flavour === 'zfs-fuse' && error instanceof ZfsError && /: I\/O error/.test(error.stderr))
      throw new ZfsError(
        'dataset-busy',
        error.message,
        { program: 'zfs', args: [], stderr: error.stderr },
        error,
      )
    throw error
  }
}

/** False where it had that hold already. */
export async function hold(
  zfs: Zfs,
  tag: string,
  name: SnapshotName,
  options: RunOptions = {},
): Promise<boolean> {
  return unless(['hold-exists'], () => zfs.commands.change('zfs', ['hold', checkTag(tag), name], options))
}

/** False where it had no such hold, or is gone. */
export async function release(
  zfs: Zfs,
  tag: string,
  name: SnapshotName,
  options: RunOptions = {},
): Promise<boolean> {
  return unless(['hold-missing', 'dataset-missing'], () =>
    zfs.commands.change('zfs', ['release', checkTag(tag), name], options),
  )
}

/** The tags of its holds; undefined where this ZFS can only count them. */
export async function holdTags(
  zfs: Zfs,
  name: SnapshotName,
  options: RunOptions = {},
): Promise<string[] | undefined> {
  if (!zfs.capabilities.holdsList) return undefined
  const listed = await zfs.commands.read('zfs', ['holds', '-H', name], options)
  return listed.split('\n').flatMap((line) => line.split('\t')[1] ?? [])
}

function checkTag(tag: string): string {
  if (!/^[A-Za-z0-9_.:][A-Za-z0-9_.:-]{0,200}$/.test(tag))
    throw new TidepoolError('bad-name', `${JSON.stringify(tag.slice(0, 300))} is not a tag of a hold`, {
      hint: 'Use up to 200 letters, digits, dashes, underscores, dots and colons.',
    })
  return tag
}

/** Keeps a snapshot's GUID as a base for sends once the snapshot itself is gone. False where that bookmark exists. */
export async function bookmark(
  zfs: Zfs,
  of: SnapshotName,
  name: BookmarkName,
  options: RunOptions = {},
): Promise<boolean> {
  if (!zfs.capabilities.bookmarks)
    throw new TidepoolError('not-supported', 'this ZFS has no bookmarks', {
      hint: 'Keep the snapshot instead.',
    })
  if (await unless(['dataset-exists'], () => zfs.commands.change('zfs', ['bookmark', of, name], options)))
    return true
  const [wanted, there] = [await value(zfs, of, 'guid', options), await value(zfs, name, 'guid', options)]
  if (wanted === there) return false
  throw new TidepoolError(
    'dataset-exists',
    `${name} exists and is a bookmark of ${there}, not of ${wanted}`,
    {
      hint: 'Name bookmarks by their GUID.',
    },
  )
}

/** False where it was not there. */
export async function destroyBookmark(
  zfs: Zfs,
  name: BookmarkName,
  options: RunOptions = {},
): Promise<boolean> {
  return unless(['dataset-missing'], () => zfs.commands.change('zfs', ['destroy', name], options))
}
