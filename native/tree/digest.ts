/**
 * One digest of a directory tree: equal where content and metadata are, wherever it stands. Made of one line an entry, so
 * that two trees that should be equal can be shown side by side.
 */
import { createHash } from 'node:crypto'
import { type TreeEntry, treeEntries } from './entries.ts'
import { readXattrs } from './xattrs.ts'

export interface TreeOptions {
  readonly signal?: AbortSignal
  /** Times of modification, to the nanosecond; off where a tree is compared with a copy that was written anew. */
  readonly times?: boolean
  /** Extended attributes and ACLs; needs `getfattr`. */
  readonly xattrs?: boolean
}

export interface TreeDigest {
  readonly sha256: string
  readonly entries: number
  /** Of its files' contents, hard links counted once. */
  readonly bytes: bigint
}

export async function treeDigest(root: string, options: TreeOptions = {}): Promise<TreeDigest> {
  const hash = createHash('sha256')
  let entries = 0
  let bytes = 0n
  for await (const { line, entry } of described(root, options)) {
    hash.update(line).update('\n')
    entries += 1
    if (entry.kind === 'file') bytes += entry.stats.size
  }
  return { sha256: hash.digest('hex'), entries, bytes }
}

/** What the digest is made of. */
export async function* treeLines(root: string, options: TreeOptions = {}): AsyncGenerator<string> {
  for await (const { line } of described(root, options)) yield line
}

async function* described(
  root: string,
  { signal, times = true, xattrs = true }: TreeOptions,
): AsyncGenerator<{ readonly line: string; readonly entry: TreeEntry }> {
  const attributes = xattrs ? await readXattrs(root, signal) : undefined
  for await (const entry of treeEntries(root, signal)) {
    const own = attributes?.get(entry.path.toString('latin1')) ?? []
    yield { line: [lineOf(entry, times), ...own].join(' '), entry }
  }
}

/** A directory's size, and the number of links and blocks, are its file system's affair. */
function lineOf({ path, kind, stats, sha256, target }: TreeEntry, times: boolean): string {
  if (kind === 'hardlink' && target) return `hardlink ${plain(path)} ${plain(target)}`
  const parts = [kind, plain(path), (stats.mode & 0o7777n).toString(8), `${stats.uid}:${stats.gid}`]
  if (times) parts.push(stats.mtimeNs.toString())
  if (sha256 !== undefined) parts.push(stats.size.toString(), sha256)
  if (target) parts.push(plain(target))
  if (kind === 'char' || kind === 'block') parts.push(stats.rdev.toString())
  return parts.join(' ')
}

/** One word whatever the bytes are. */
function plain(name: Buffer): string {
  return name
    .toString('latin1')
    .replace(/[^!-[\]-~]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
