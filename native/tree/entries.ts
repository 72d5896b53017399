/** What a directory tree is: each of its entries with content and metadata, in an order that does not hang on the file system. */
import { createHash } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { TidepoolError } from '../../pipeline/base/errors.ts'

export type EntryKind = 'file' | 'dir' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block' | 'hardlink'

export interface TreeEntry {
  /** Below the root, `.` for the root itself. Names are bytes; these need not be text. */
  readonly path: Buffer
  readonly kind: EntryKind
  readonly stats: BigIntStats
  /** Of a file: the SHA-256 of its bytes, holes read as zeros. */
  readonly sha256?: string
  /** Of a symlink what it says; of a hard link the path under which its file was listed. */
  readonly target?: Buffer
}

/** At a time, within one directory: through FUSE a look-up waits for another process most of the time. */
const AT_ONCE = 16
const PIECE_BYTES = 256 * 1024

/**
 * Depth first, names in the order of their bytes. Links are not followed, and no fifo or device is opened. Rejects with
 * `mounted-inside` where something else is mounted in it. The tree should stand still meanwhile.
 */
export async function* treeEntries(root: string, signal?: AbortSignal): AsyncGenerator<TreeEntry> {
  const stats = await lstat(root, { bigint: true })
  if (!stats.isDirectory())
    throw new TidepoolError('no-directory', `${root} is no directory`, { hint: 'Give the root of a tree.' })
  yield { path: Buffer.from('.'), kind: 'dir', stats }
  yield* below({ root: Buffer.from(root), device: stats.dev, links: new Map(), signal }, null)
}

interface Walk {
  readonly root: Buffer
  readonly device: bigint
  /** The first path of each file that has several, by inode. */
  readonly links: Map<bigint, Buffer>
  readonly signal: AbortSignal | undefined
}

const SLASH = Buffer.from('/')
const join = (directory: Buffer, name: Buffer): Buffer => Buffer.concat([directory, SLASH, name])

async function* below(walk: Walk, directory: Buffer | null): AsyncGenerator<TreeEntry> {
  const real = directory ? join(walk.root, directory) : walk.root
  const names = (await readdir(real, { encoding: 'buffer' })).sort(Buffer.compare)
  for (let at = 0; at < names.length; at += AT_ONCE) {
    walk.signal?.throwIfAborted()
    const paths = names.slice(at, at + AT_ONCE).map((name) => (directory ? join(directory, name) : name))
    const stats = await Promise.all(paths.map((path) => lstat(join(walk.root, path), { bigint: true })))
    // Which link is the first one is decided before anything waits, so it is the same each time.
    const entries = await Promise.all(paths.map((path, i) => entry(walk, path, stats[i] as BigIntStats)))
    for (const one of entries) {
      yield one
      if (one.kind === 'dir') yield* below(walk, one.path)
    }
  }
}

async function entry(walk: Walk, path: Buffer, stats: BigIntStats): Promise<TreeEntry> {
  if (stats.dev !== walk.device)
    throw new TidepoolError('mounted-inside', `something is mounted on ${path} in ${walk.root}`, {
      hint: 'Unmount it first: what is below it cannot be seen.',
    })
  const kind = kindOf(stats)
  if (kind === 'symlink')
    return { path, kind, stats, target: await readlink(join(walk.root, path), { encoding: 'buffer' }) }
  if (kind === 'dir') return { path, kind, stats }
  const first = walk.links.get(stats.ino)
  if (first) return { path, kind: 'hardlink', stats, target: first }
  if (stats.nlink > 1n) walk.links.set(stats.ino, path)
  if (kind !== 'file') return { path, kind, stats }
  return { path, kind, stats, sha256: await contentDigest(join(walk.root, path), walk.signal) }
}

export function kindOf(stats: BigIntStats): Exclude<EntryKind, 'hardlink'> {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'dir'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isFIFO()) return 'fifo'
  if (stats.isSocket()) return 'socket'
  return stats.isCharacterDevice() ? 'char' : 'block'
}

async function contentDigest(path: Buffer, signal: AbortSignal | undefined): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const hash = createHash('sha256')
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    for (;;) {
      signal?.throwIfAborted()
      const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(piece.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}
