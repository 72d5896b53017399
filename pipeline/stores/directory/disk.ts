/** Files as this store uses them: whole reads at an offset, directories made durable, errors in words. */
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf, TidepoolError } from '../../base/errors.ts'
import { DIRECTORY_MODE } from './layout.ts'

/** How much of `into` could be filled; less than all only at the end of the file. */
export async function readAt(file: FileHandle, into: Buffer, offset: number): Promise<number> {
  let done = 0
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

/** Makes the names in a directory durable: a file's own fsync does not. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The directory, there and durable in its parent. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: DIRECTORY_MODE })
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return
    throw error
  }
  await syncDirectory(dirname(path))
}

/** What a system error means for whoever keeps the store. Errors of ours pass through. */
export function diskError(tried: string, path: string, error: unknown): unknown {
  return inWords(tried, path, error, MEANINGS)
}

/** The same for what only reads. */
export function readError(tried: string, path: string, error: unknown): unknown {
  return inWords(tried, path, error, { ...MEANINGS, EACCES: DENIED, EPERM: DENIED })
}

function inWords(
  tried: string,
  path: string,
  error: unknown,
  meanings: Readonly<Record<string, Meaning>>,
): unknown {
  if (error instanceof TidepoolError) return error
  const errno = errnoOf(error)
  if (errno === undefined) return error
  const { code, why, hint, temporary } = meanings[errno] ?? {
    code: 'disk-error',
    why: `the system answered ${errno}`,
    hint: 'Look at the disk: `dmesg` says more. Nothing was committed by this.',
  }
  return new TidepoolError(code, `can't ${tried} ${path}: ${why}`, {
    hint,
    cause: error,
    temporary: temporary ?? false,
  })
}

interface Meaning {
  readonly code: string
  readonly why: string
  readonly hint: string
  readonly temporary?: boolean
}

const FULL: Meaning = {
  code: 'disk-full',
  why: 'the disk is full',
  hint: 'Make space on that file system, then do it again; nothing needs a restart.',
}
const READ_ONLY: Meaning = {
  code: 'store-read-only',
  why: 'it may only be read',
  hint: 'Mount its file system read-write, or run as the user who owns the store.',
}
const DENIED: Meaning = {
  code: 'store-denied',
  why: 'this user may not read it',
  hint: 'Run as the user who owns the store, or as root.',
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOSPC: FULL,
  EDQUOT: { ...FULL, why: "the user's disk quota is used up" },
  EFBIG: {
    code: 'file-too-large',
    why: 'a file may not grow that long here',
    hint: 'Look at the file system and at `ulimit -f`.',
  },
  EROFS: READ_ONLY,
  EACCES: READ_ONLY,
  EPERM: READ_ONLY,
  EMFILE: {
    code: 'too-many-files',
    why: 'this process has too many files open',
    hint: 'Raise `ulimit -n`, or do less at once.',
    temporary: true,
  },
}
