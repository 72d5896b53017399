/** `tidepool.json`: what says that a directory is a store, and of which layout. */
import { randomUUID } from 'node:crypto'
import { open, readdir, readFile, rename, rm, statfs } from 'node:fs/promises'
import { z } from 'zod'
import { errnoOf, TidepoolError } from '../../base/errors.ts'
import type { StoreInfo } from '../contract.ts'
import { diskError, readError, syncDirectory } from './disk.ts'
import { FILE_MODE, FORMAT, markerFile } from './layout.ts'

const KIND = 'tidepool-directory-store'

const schema = z.object({
  kind: z.literal(KIND),
  format: z.literal(FORMAT),
  createdAtMs: z.number(),
  receivable: z.array(z.string()).nullable(),
})

/** What the store says of itself; null where there is a directory but no store in it. */
export async function readMarker(root: string): Promise<StoreInfo | null> {
  const file = markerFile(root)
  let text: string
  try {
    await readdir(root)
    text = await readFile(file, 'utf8')
  } catch (error) {
    return notThere(root, error)
  }
  const raw = parse(text)
  if (typeof raw?.format === 'number' && raw.format !== FORMAT)
    throw new TidepoolError(
      'store-format',
      `the store in ${root} has format ${raw.format}; this program knows ${FORMAT}`,
      { hint: `Use a version of Tidepool that knows format ${raw.format}.`, facts: { format: raw.format } },
    )
  const parsed = schema.safeParse(raw)
  if (!parsed.success)
    throw new TidepoolError('store-damaged', `${file} is not what a store says of itself`, {
      cause: parsed.error,
      hint: 'Restore that file from a backup; if this was never a store, choose another directory.',
    })
  const { format, createdAtMs, receivable } = parsed.data
  return { format, createdAtMs, receivable }
}

/** The same of what was a store a moment ago, or is to be one. */
export async function markerOf(root: string): Promise<StoreInfo> {
  const info = await readMarker(root)
  if (info) return info
  throw new TidepoolError('not-a-store', `${root} is a directory, but no store`, {
    hint: 'Look for a typing mistake; `tidepool store init` makes an empty directory into a store.',
  })
}

/** Whole or not at all, also where two write it at once. */
export async function writeMarker(root: string, info: StoreInfo): Promise<void> {
  const file = markerFile(root)
  // A name that `init` knows for a left-over of its own.
  const temporary = `${file}.${randomUUID()}`
  try {
    {
      await using handle = await open(temporary, 'w', FILE_MODE)
      await handle.writeFile(`${JSON.stringify({ kind: KIND, ...info }, null, 2)}\n`)
      await handle.sync()
    }
    await rename(temporary, file)
    await syncDirectory(root)
  } catch (error) {
    await rm(temporary, { force: true })
    throw diskError('write', file, error)
  }
}

/** By the numbers that statfs(2) gives. LMDB's lock and map need one kernel that sees all of it. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x73757245, 'Coda'],
  [0x5346414f, 'AFS'],
])

export async function refuseNetwork(path: string, typeOf = fileSystemType): Promise<void> {
  const name = NETWORK_TYPES.get(await typeOf(path))
  if (name)
    throw new TidepoolError('store-not-local', `${path} is on a network file system (${name})`, {
      hint: 'A directory store needs a local file system; for several machines use Cassandra.',
    })
}

async function fileSystemType(path: string): Promise<number> {
  try {
    return (await statfs(path)).type
  } catch (error) {
    throw readError('look at', path, error)
  }
}

function notThere(root: string, error: unknown): null {
  switch (errnoOf(error)) {
    case 'ENOTDIR':
      throw new TidepoolError('store-not-a-directory', `${root} is not a directory`, {
        cause: error,
        hint: 'A store of this kind is a directory: give its path, or one that is not there yet to `store init`.',
      })
    case 'EACCES':
    case 'EPERM':
      throw new TidepoolError('store-denied', `this user may not read the store in ${root}`, {
        cause: error,
        hint: 'Run as the user who owns the store, or as root.',
      })
    case 'ENOENT':
      if (error instanceof Error && 'syscall' in error && error.syscall === 'scandir')
        throw new TidepoolError('store-missing', `there is no directory ${root}`, {
          cause: error,
          hint: 'Look for a typing mistake, and whether its file system is mounted; `tidepool store init` makes a new store.',
        })
      return null
    default:
      throw readError('open', root, error)
  }
}

function parse(text: string): { format?: unknown } | undefined {
  try {
    return JSON.parse(text)
  } catch {
    // Told by the schema, with the file's name.
    return undefined
  }
}
