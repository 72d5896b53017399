/** Why a project could not be opened, as the errno that a program of its user sees; `docs/access.md` has the table for people. */
import type { Errno } from '../../native/fuse/errno.ts'
import { codeOf } from '../../pipeline/base/errors.ts'

const ERRNO_OF: Readonly<Record<string, Errno>> = {
  // There is no such project, or no more.
  'project-unknown': 'ENOENT',
  'project-destroyed': 'ENOENT',
  'project-purging': 'ENOENT',
  'project-purged': 'ENOENT',
  'bad-id': 'ENOENT',
  // Another host has it.
  'owned-elsewhere': 'EBUSY',
  'takeover-asks': 'EBUSY',
  // There is no room for it here.
  'quota-exceeded': 'EDQUOT',
  'out-of-space': 'ENOSPC',
  'disk-full': 'ENOSPC',
  'store-full': 'ENOSPC',
  // It is still being opened: whoever comes again waits for the same open.
  'open-timeout': 'ETIMEDOUT',
  // The same access may succeed a moment later.
  'opens-full': 'EAGAIN',
  'opens-stopped': 'EAGAIN',
  draining: 'EAGAIN',
  'host-lost': 'EAGAIN',
  'host-left': 'EAGAIN',
  'project-busy': 'EAGAIN',
}

/** EIO for whatever is the operator's to look at. */
export function errnoOfFailure(error: unknown): Errno {
  return ERRNO_OF[codeOf(error) ?? ''] ?? 'EIO'
}
