/**
 * The guard between handlers that may do anything and an addon that forgives nothing: each request is answered exactly once,
 * a number first, in bounded time. An answer of another shape ends the process, and a second one reaches another caller.
 */
import type { Answer, FuseOperations } from 'fuse-native'
import { type Errno, ErrnoError, errnoNumber } from './errno.ts'

export interface Attributes {
  readonly mode: number
  readonly size: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  /** Milliseconds since 1970. */
  readonly atime: number
  readonly mtime: number
  readonly ctime: number
}

/**
 * What a directory of symbolic links answers. A path starts with a slash; the root is `/`. A rejection with an `ErrnoError` is
 * the caller's errno, any other one EIO. None of them may do work that blocks the process: every walk through the root waits.
 */
export interface RootHandlers {
  getattr(path: string): Promise<Attributes>
  readdir(path: string): Promise<readonly string[]>
  readlink(path: string): Promise<string>
}

export interface AnswerLimits {
  /** For what is answered from memory. */
  readonly quickMs: number
  /** For a READLINK, which may wait for something. */
  readonly readlinkMs: number
}

/** As the addon has them: a look-up is a `getattr`. */
export const FUSE_OPERATIONS = ['getattr', 'readdir', 'readlink', 'statfs'] as const

export type FuseOperation = (typeof FUSE_OPERATIONS)[number]

/** Hears of each answer, and of the error that it was. */
export type OnAnswer = (operation: FuseOperation, errno?: Errno) => void

/** `failed` is told of what is shown as EIO: its caller sees no more than that. */
export function guarded(
  handlers: RootHandlers,
  { quickMs, readlinkMs }: AnswerLimits,
  failed: (operation: string, error: unknown) => void,
  answered: OnAnswer = () => {},
): Required<FuseOperations> {
  const guard =
    <T>(operation: FuseOperation, limitMs: number, handle: (path: string) => Promise<T>) =>
    (path: string, answer: Answer<T>): void => {
      const once = onlyOnce(answer, limitMs, (errno) => answered(operation, errno))
      // In a promise's chain from the start, so that what throws at once is a rejection too.
      Promise.resolve(path)
        .then(handle)
        .then(
          (value) => once(undefined, value),
          (error: unknown) => {
            if (!(error instanceof ErrnoError)) failed(operation, error)
            once(error instanceof ErrnoError ? error.errno : 'EIO')
          },
        )
    }
  return {
    getattr: guard('getattr', quickMs, (path) => handlers.getattr(path)),
    readdir: guard('readdir', quickMs, (path) => handlers.readdir(path)),
    readlink: guard('readlink', readlinkMs, (path) => handlers.readlink(path)),
    statfs: guard('statfs', quickMs, async () => ({ bsize: 4096, frsize: 4096, namemax: 63 })),
  }
}

/** The first answer counts; where none comes in time, ETIMEDOUT is it. */
function onlyOnce<T>(
  answer: Answer<T>,
  limitMs: number,
  tell: (errno: Errno | undefined) => void,
): (errno: Errno | undefined, value?: T) => void {
  let answered = false
  const once = (errno: Errno | undefined, value?: T): void => {
    if (answered) return
    answered = true
    clearTimeout(timer)
    const number = errno === undefined ? 0 : errnoNumber(errno)
    if (value === undefined) answer(number)
    else answer(number, value)
    tell(errno)
  }
  const timer = setTimeout(() => once('ETIMEDOUT'), limitMs)
  return once
}
