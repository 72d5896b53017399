/**
 * What differs between two states of one tree, by metadata alone: no content is read. The inode-change time tells of every
 * change to a file and can be set by nobody; ZFS carries it, and the inode's number, in its streams.
 */
import type { BigIntStats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { type EntryKind, kindOf } from './entries.ts'

export interface TreeChange {
  readonly change: 'added' | 'removed' | 'modified' | 'renamed'
  readonly kind: Exclude<EntryKind, 'hardlink'>
  /** Below the root. Names are bytes; these need not be text. */
  readonly path: Buffer
  /** Of what was renamed: where it was before. */
  readonly from?: Buffer
}

/** Sorted by path; what was renamed stands where it is now. Links are not followed. */
export async function treeChanges(
  before: string,
  after: string,
  signal?: AbortSignal,
): Promise<TreeChange[]> {
  const walk: Walk = { before: Buffer.from(before), after: Buffer.from(after), found: [], signal }
  await compare(walk, null, { was: true, is: true })
  return withRenames(walk.found).sort((a, b) => Buffer.compare(a.path, b.path))
}

interface Found extends TreeChange {
  readonly stats: BigIntStats
}

interface Walk {
  readonly before: Buffer
  readonly after: Buffer
  readonly found: Found[]
  readonly signal: AbortSignal | undefined
}

interface Sides {
  readonly was: boolean
  readonly is: boolean
}

const SLASH = Buffer.from('/')
const join = (directory: Buffer, name: Buffer): Buffer => Buffer.concat([directory, SLASH, name])
const real = (root: Buffer, path: Buffer | null): Buffer => (path ? join(root, path) : root)

/** One directory, in either or both: the entries of the two side by side. */
async function compare(walk: Walk, directory: Buffer | null, { was, is }: Sides): Promise<void> {
  walk.signal?.throwIfAborted()
  const [old, now] = await Promise.all([
    was ? listed(real(walk.before, directory)) : new Map<string, BigIntStats>(),
    is ? listed(real(walk.after, directory)) : new Map<string, BigIntStats>(),
  ])
  for (const key of new Set([...old.keys(), ...now.keys()])) {
    const name = Buffer.from(key, 'latin1')
    const path = directory ? join(directory, name) : name
    const [a, b] = [old.get(key), now.get(key)]
    note(walk, path, a, b)
    const sides = { was: a?.isDirectory() ?? false, is: b?.isDirectory() ?? false }
    if (sides.was || sides.is) await compare(walk, path, sides)
  }
}

/** What has gone between the listing and the look is as if it had not been listed. */
async function listed(directory: Buffer): Promise<Map<string, BigIntStats>> {
  const found = new Map<string, BigIntStats>()
  for (const name of await readdir(directory, { encoding: 'buffer' })) {
    const stats = await lstat(join(directory, name), { bigint: true }).catch(ifGone)
    if (stats) found.set(name.toString('latin1'), stats)
  }
  return found
}

function ifGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

function note(walk: Walk, path: Buffer, was: BigIntStats | undefined, is: BigIntStats | undefined): void {
  const add = (change: TreeChange['change'], stats: BigIntStats): void =>
    void walk.found.push({ change, kind: kindOf(stats), path, stats })
  if (was && is && kindOf(was) === kindOf(is)) {
    if (isModified(was, is)) add('modified', is)
    return
  }
  if (was) add('removed', was)
  if (is) add('added', is)
}

function isModified(was: BigIntStats, is: BigIntStats): boolean {
  const owned = was.mode !== is.mode || was.uid !== is.uid || was.gid !== is.gid
  // A directory changes with each entry that comes or goes, which is told of that entry; its own attributes leave its mtime alone.
  if (is.isDirectory()) return owned || (was.ctimeNs !== is.ctimeNs && was.mtimeNs === is.mtimeNs)
  return owned || was.ino !== is.ino || was.ctimeNs !== is.ctimeNs || was.size !== is.size
}

/** An inode's number is used again, so the same number alone is no proof: size and time of the content have to be the same too. */
function withRenames(found: readonly Found[]): TreeChange[] {
  const identity = ({ stats, kind }: Found): string => `${stats.ino}:${kind}:${stats.size}:${stats.mtimeNs}`
  const gone = new Map<string, Found[]>()
  for (const one of found)
    if (one.change === 'removed' && one.kind !== 'dir')
      gone.set(identity(one), [...(gone.get(identity(one)) ?? []), one])
  const moved = new Set<Found>()
  const told = found.map((one) => {
    const from = one.change === 'added' ? gone.get(identity(one))?.shift() : undefined
    if (from) moved.add(from)
    return { one, from }
  })
  return told
    .filter(({ one }) => !moved.has(one))
    .map(({ one: { change, kind, path }, from }) =>
      from ? { change: 'renamed', kind, path, from: from.path } : { change, kind, path },
    )
}
