/**
 * What the directory of links answers. Pure and from memory but for READLINK, which alone may wait: while a LOOKUP waits, so
 * does every other in the same directory. So any well-formed id is a link, and where it leads is found out when it is followed.
 */
import type { Attributes, RootHandlers } from '../../native/fuse/answers.ts'
import { ErrnoError } from '../../native/fuse/errno.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { NOTICES, noticesIn } from '../notices/directory.ts'

export interface RootSources {
  /** Where projects are mounted, for the length that a link is said to have. */
  readonly mountRoot: string
  /** When the root was made. */
  readonly madeAtMs: number
  /** What a listing shows, from memory. */
  readonly listed: () => readonly ProjectId[]
  /** Where the project is. Rejects with an `ErrnoError`. */
  readonly pathOf: (id: ProjectId) => Promise<string>
}

/** No id, so no project's: a link by which whoever looks after the root sees that it answers. It is not listed. */
export const PROBE = '.tidepool'

/** Links that are no project's, and whereto: below where projects are mounted. */
const OWN_LINKS: Readonly<Record<string, (mountRoot: string) => string>> = {
  [`/${PROBE}`]: (mountRoot) => mountRoot,
  [`/${NOTICES}`]: (mountRoot) => noticesIn(mountRoot),
}

const DIRECTORY = 0o040755
const LINK = 0o120777

export function rootHandlers({ mountRoot, madeAtMs, listed, pathOf }: RootSources): RootHandlers {
  const attributes = (mode: number, nlink: number, size: number): Attributes => ({
    mode,
    nlink,
    size,
    uid: 0,
    gid: 0,
    atime: madeAtMs,
    mtime: madeAtMs,
    ctime: madeAtMs,
  })
  return {
    async getattr(path) {
      if (path === '/') return attributes(DIRECTORY, 2, 4096)
      const own = OWN_LINKS[path]
      return attributes(LINK, 1, own ? own(mountRoot).length : mountRoot.length + 1 + idOf(path).length)
    },
    async readdir(path) {
      if (path !== '/') throw new ErrnoError('ENOENT')
      return ['.', '..', ...listed()]
    },
    readlink: async (path) => OWN_LINKS[path]?.(mountRoot) ?? pathOf(idOf(path)),
  }
}

function idOf(path: string): ProjectId {
  try {
    return projectId(path.slice(1))
  } catch {
    throw new ErrnoError('ENOENT', `${path} names no project`)
  }
}
