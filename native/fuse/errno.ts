/** What a caller of a system call is told: an errno by its name. */
import { constants } from 'node:os'

/** Those that a root of ours answers with. */
export const ERRNOS = ['ENOENT', 'EBUSY', 'EDQUOT', 'ENOSPC', 'ETIMEDOUT', 'EAGAIN', 'EIO'] as const

export type Errno = (typeof ERRNOS)[number]

/** Thrown by a handler that wants its caller to see this errno; anything else that is thrown is shown as EIO. */
export class ErrnoError extends Error {
  readonly errno: Errno

  constructor(errno: Errno, message: string = errno) {
    super(message)
    this.name = 'ErrnoError'
    this.errno = errno
  }
}

/** As the kernel wants it: negative. */
export const errnoNumber = (errno: Errno): number => -constants.errno[errno]
