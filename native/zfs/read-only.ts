/**
 * A mounted dataset made read-only under its users, and writable again. It is never unmounted for it, and what they have written stays
 * and can be saved.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { codeOf } from '../../pipeline/base/errors.ts'
import { mountsOf } from '../mount/mountinfo.ts'
import { inheritProperty, setProperties } from './dataset.ts'
import type { DatasetName } from './names.ts'
import type { RunOptions } from './run.ts'
import type { Zfs } from './zfs.ts'

const run = promisify(execFile)
const REMOUNT_LIMIT_MS = 10_000

/**
 * By the property, and not by a remount alone: the kernel refuses that while a file is open for writing. OpenZFS looks at it with each
 * write. zfs-fuse refuses with it whatever needs a name or changes one, and writes to files that are there go on (measured on 0.7);
 * there the mount is made read-only too, which works once no file is open for writing. Resolves with whether nobody can write any more.
 */
export async function makeReadOnly(
  zfs: Zfs,
  dataset: DatasetName,
  options: RunOptions = {},
): Promise<boolean> {
  await setProperties(zfs, dataset, { readonly: 'on' }, options)
  return zfs.capabilities.flavour === 'openzfs' || remount(zfs, dataset, 'ro', options)
}

/** The end of `makeReadOnly`. False where there is no such dataset any more. */
export async function makeWritable(
  zfs: Zfs,
  dataset: DatasetName,
  options: RunOptions = {},
): Promise<boolean> {
  try {
    await inheritProperty(zfs, dataset, 'readonly', options)
  } catch (error) {
    if (codeOf(error) === 'dataset-missing') return false
    throw error
  }
  if (zfs.capabilities.flavour !== 'openzfs') await remount(zfs, dataset, 'rw', options)
  return true
}

/** Of the mount alone: to remount all of it would call zfs-fuse's helper, which knows no such thing. Where nothing is mounted nobody writes. */
async function remount(
  zfs: Zfs,
  dataset: DatasetName,
  how: 'ro' | 'rw',
  { signal }: RunOptions,
): Promise<boolean> {
  const mounts = await mountsOf(dataset, zfs.commands.settings.mountInfo)
  const done = await Promise.all(
    mounts.map(async ({ mountPoint, options }) => {
      if (options.includes(how)) return true
      const args = ['-o', `remount,bind,${how}`, mountPoint]
      return run('mount', args, { timeout: REMOUNT_LIMIT_MS, ...(signal && { signal }) }).then(
        () => true,
        () => false,
      )
    }),
  )
  return done.every((one) => one)
}
