/** Frees a directory for a root: of one that a killed process left there, or of one's own. */
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { promisify } from 'node:util'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { type Mount, readMounts } from '../mount/mountinfo.ts'
import { abortConnection } from './connection.ts'

const run = promisify(execFile)

/** The subtype by which mountinfo shows our roots: `fuse.tidepool`. */
export const SUBTYPE = 'tidepool'
export const isOurRoot = ({ type }: Mount): boolean => type === `fuse.${SUBTYPE}`

const UMOUNT_LIMIT_MS = 10_000
/** A start after each crash may have put one on another; more than that is somebody else at work. */
const MAX_STACKED = 100

/**
 * Resolves with how many there were. Rejects with `root-taken` where something else is there, mounted or lying in it, that a root
 * would hide. Only for whoever knows that nobody serves there any more.
 */
export async function detachRoots(root: string): Promise<number> {
  for (let detached = 0; detached < MAX_STACKED; detached++) {
    const top = (await readMounts()).filter(({ mountPoint }) => mountPoint === root).at(-1)
    if (!top) {
      if ((await readdir(root)).length > 0) throw taken(root, 'it is not empty')
      return detached
    }
    if (!isOurRoot(top)) throw taken(root, `${top.source} (${top.type}) is mounted on it`)
    await abortConnection(top)
    await detach(root)
  }
  throw taken(root, `more than ${MAX_STACKED} mounts lie on it`)
}

/**
 * Lazily, so that nobody inside keeps it. `-c` and `-i`: neither the path nor a helper is looked at, because a look into a
 * root that nobody serves fails or hangs. Not `fusermount`, which newer systems may forbid.
 */
export async function detach(root: string): Promise<void> {
  try {
    await run('umount', ['-l', '-c', '-i', root], { cwd: '/', timeout: UMOUNT_LIMIT_MS })
  } catch (error) {
    if (!(await readMounts()).some(({ mountPoint }) => mountPoint === root)) return
    throw new TidepoolError('root-stuck', `${root} cannot be unmounted: ${(error as Error).message}`, {
      cause: error,
      hint: `See what \`umount -l ${root}\` says.`,
      facts: { root },
    })
  }
}

function taken(root: string, why: string): TidepoolError {
  return new TidepoolError('root-taken', `${root} cannot be served: ${why}`, {
    hint: 'Free it, or choose another directory: an empty one, on the file system of its parent.',
    facts: { root },
  })
}
