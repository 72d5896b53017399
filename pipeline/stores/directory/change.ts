/** Changes of the catalogue as a store's caller sees them: with the ballast given up where the disk is full, and errors in words. */
import { statfs } from 'node:fs/promises'
import { errnoOf, messageOf, OutcomeUnknownError, TidepoolError } from '../../base/errors.ts'
import type { Ballast } from './ballast.ts'
import { diskError } from './disk.ts'
import type { Environment, WriteOptions } from './environment.ts'
import type { Operation } from './operations.ts'
import { WriterFailure } from './thread.ts'

/** As LMDB and the kernel number them. */
const ENOENT = 2
const EIO = 5
const ENOMEM = 12
const EACCES = 13
const ENOSPC = 28
const EROFS = 30
const MDB_MAP_FULL = -30792
const DAMAGED: readonly number[] = [-30797, -30796, -30793]

/** Less free than this is full: a page or two may be left that a transaction could not make do with. */
const FULL_BYTES = 64 * 1024

export async function change(
  path: string,
  environment: Environment,
  ballast: Ballast,
  operation: Operation,
  options: WriteOptions,
): Promise<boolean> {
  try {
    return await environment.write(operation, options)
  } catch (error) {
    const told = await inWords(path, options.what, error)
    if (!(told instanceof TidepoolError) || told.code !== 'disk-full' || !(await ballast.giveUp())) throw told
  }
  try {
    return await environment.write(operation, options)
  } catch (error) {
    throw await inWords(path, options.what, error)
  }
}

async function inWords(path: string, what: string, error: unknown): Promise<unknown> {
  if (error instanceof OutcomeUnknownError || error instanceof TidepoolError) return error
  const number = error instanceof WriterFailure ? error.number : numberOf(error)
  if (number === undefined)
    return errnoOf(error) === undefined ? error : diskError(`do ${what} in`, path, error)
  // LMDB calls a write that the full disk cut short an input/output error.
  const full = number === ENOSPC || (number === EIO && (await isFull(path)))
  if (full)
    return diskError(
      `do ${what} in`,
      path,
      Object.assign(new Error('full'), { code: 'ENOSPC', cause: error }),
    )
  if (number === EROFS || number === EACCES) {
    const code = number === EROFS ? 'EROFS' : 'EACCES'
    return diskError(`do ${what} in`, path, Object.assign(new Error(code), { code, cause: error }))
  }
  if (number === MDB_MAP_FULL || number === ENOMEM)
    return new TidepoolError('store-full', `${what}: the catalogue in ${path} can't grow any more`, {
      cause: error,
      hint: 'Look at `ulimit -v` and at memory, or remove projects and old writes: reading and removing go on.',
    })
  if (DAMAGED.includes(number) || number === ENOENT)
    return new TidepoolError(
      'catalogue-damaged',
      `${what}: the catalogue in ${path} is damaged: ${messageOf(error)}`,
      {
        cause: error,
        hint: 'Look at the disk, then restore the catalogue from a backup; the streams themselves are plain files.',
      },
    )
  return new TidepoolError(
    'catalogue-failed',
    `${what}: the catalogue in ${path} answered: ${messageOf(error)}`,
    {
      cause: error,
      hint: 'Nothing happened. Look at the disk: `dmesg` says more.',
    },
  )
}

async function isFull(path: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize < FULL_BYTES
}

function numberOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined
}
