/** Mounts and unmounts datasets: never over something, never by force, and only what mountinfo then shows is believed. */
import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { type Holder, holders } from '../mount/holders.ts'
import { mountAt, mountsOf } from '../mount/mountinfo.ts'
import { copiesElsewhere } from '../mount/namespaces.ts'
import { whileBusy } from './busy.ts'
import { ZfsError } from './errors.ts'
import { value } from './get.ts'
import type { DatasetName } from './names.ts'
import { oneMountAtATime } from './one-mount.ts'
import type { RunOptions } from './run.ts'
import type { Zfs } from './zfs.ts'

export interface MountOptions extends RunOptions {
  /** Its mountpoint, where that was seen or set a moment ago, so that it is not asked for. */
  readonly mountpoint?: string
}

/** Resolves with where it is mounted, also where it was already. Rejects with `not-mountable`, `mountpoint-not-empty`, `mountpoint-taken`. */
export async function mount(
  zfs: Zfs,
  dataset: DatasetName,
  { mountpoint, ...options }: MountOptions = {},
): Promise<string> {
  const [before] = await mountsOf(dataset, zfs.commands.settings.mountInfo)
  if (before) return before.mountPoint
  const directory = mountpoint ?? (await value(zfs, dataset, 'mountpoint', options))
  if (directory === undefined)
    throw new TidepoolError('dataset-missing', `${dataset} does not exist and cannot be mounted`)
  if (!directory.startsWith('/'))
    throw new TidepoolError('not-mountable', `the mountpoint of ${dataset} is ${directory}`, {
      hint: 'Set it to a path.',
    })
  await checkDirectory(dataset, directory, zfs.commands.settings.mountInfo)
  try {
    // Never -O: it aborts the daemon of zfs-fuse. That also calls a dataset busy for a moment after it was unmounted.
    const command = (how: RunOptions) =>
      zfs.commands.change('zfs', ['mount', dataset], { ...options, ...how })
    await whileBusy(zfs, dataset, () => oneMountAtATime(zfs, options, command), options)
  } catch (error) {
    if (!(error instanceof ZfsError) || error.code !== 'already-mounted') throw error
  }
  const [after] = await mountsOf(dataset, zfs.commands.settings.mountInfo)
  if (after) return after.mountPoint
  throw new TidepoolError(
    'not-mounted',
    `zfs mount ${dataset} succeeded, yet nothing is mounted at ${directory} here`,
    {
      hint: 'Is this process in a mount namespace of its own? Run it without options such as PrivateTmp or ProtectSystem.',
    },
  )
}

/** OpenZFS mounts over files that are there, and hides them. */
async function checkDirectory(dataset: DatasetName, directory: string, mountInfo: string): Promise<void> {
  const other = await mountAt(directory, mountInfo)
  if (other)
    throw new TidepoolError(
      'mountpoint-taken',
      `${other.source} is mounted at ${directory}, where ${dataset} belongs`,
      {
        hint: `Unmount it first: umount ${directory}`,
      },
    )
  try {
    const [entry] = await readdir(directory)
    if (entry === undefined) return
    throw new TidepoolError(
      'mountpoint-not-empty',
      `${directory}, where ${dataset} belongs, is not empty: ${entry}`,
      {
        hint: 'Move away what is in it.',
      },
    )
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error // zfs makes it
  }
}

/** How long a mount may be called busy while nobody is seen in it: somebody just leaving, or zfs-fuse closing a file. */
const UNSEEN_LIMIT_MS = 5_000
const UNSEEN_PAUSE_MS = 200

/**
 * False where it was not mounted. Rejects with `dataset-busy` where somebody is in it, naming who (`facts.holders`); it is then
 * still mounted as before.
 */
export async function unmount(zfs: Zfs, dataset: DatasetName, options: RunOptions = {}): Promise<boolean> {
  const [before] = await mountsOf(dataset, zfs.commands.settings.mountInfo)
  if (before === undefined) return false
  const elsewhere = await copiesElsewhere(before)
  if (elsewhere.length > 0) throw busy(dataset, before.mountPoint, elsewhere)
  const deadline = performance.now() + Math.min(UNSEEN_LIMIT_MS, zfs.commands.settings.busyLimitMs)
  for (;;) {
    try {
      await zfs.commands.change('zfs', ['unmount', dataset], options)
      break
    } catch (error) {
      if (!(error instanceof ZfsError)) throw error
      if (error.code === 'not-mounted') return false
      if (error.code !== 'dataset-busy') throw error
      const by = await holders(before.mountPoint)
      if (by.length > 0 || performance.now() >= deadline) throw busy(dataset, before.mountPoint, by, error)
      await sleep(UNSEEN_PAUSE_MS)
      options.signal?.throwIfAborted()
    }
  }
  const [after] = await mountsOf(dataset, zfs.commands.settings.mountInfo)
  if (after) throw busy(dataset, after.mountPoint, await holders(after.mountPoint))
  return true
}

const WITH: Readonly<Record<Holder['how'], string>> = {
  cwd: 'in',
  root: 'rooted in',
  file: 'with',
  mapping: 'running',
  namespace: 'in a mount namespace of its own with',
}

function busy(dataset: DatasetName, at: string, by: readonly Holder[], cause?: unknown): TidepoolError {
  const who = by.slice(0, 3).map(({ command, pid, how, path }) => `${command} (${pid}) ${WITH[how]} ${path}`)
  const more = by.length > 3 ? ` and ${by.length - 3} more` : ''
  return new TidepoolError(
    'dataset-busy',
    `${dataset} is in use at ${at}${who.length > 0 ? `: ${who.join(', ')}${more}` : ''}`,
    {
      cause,
      temporary: true,
      facts: { dataset, mountPoint: at, holders: by },
      hint: 'It is unmounted when they have left it.',
    },
  )
}
