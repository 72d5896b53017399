/** What has changed in a mounted dataset since one of its snapshots, as `zfs diff` tells it: from the pool's own trees, without a walk. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { datasetOf, type SnapshotName } from './names.ts'
import type { RunOptions } from './run.ts'
import type { Zfs } from './zfs.ts'

export interface DiffEntry {
  readonly change: 'added' | 'removed' | 'modified' | 'renamed'
  readonly kind: 'file' | 'dir' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block' | 'other'
  /** Below the mount point, empty for its root. Names are bytes; these need not be text. */
  readonly path: Buffer
  /** Of what was renamed: where it was before. */
  readonly from?: Buffer
}

const CHANGES: Readonly<Record<string, DiffEntry['change']>> = {
  '+': 'added',
  '-': 'removed',
  M: 'modified',
  R: 'renamed',
}

const KINDS: Readonly<Record<string, DiffEntry['kind']>> = {
  F: 'file',
  '/': 'dir',
  '@': 'symlink',
  '|': 'fifo',
  '=': 'socket',
  C: 'char',
  B: 'block',
}

/** In the order of ZFS. Needs a ZFS that has the command, and the dataset mounted at `mountpoint`. */
export async function* diff(
  zfs: Zfs,
  since: SnapshotName,
  mountpoint: string,
  options: RunOptions = {},
): AsyncGenerator<DiffEntry> {
  for await (const line of zfs.commands.lines('zfs', ['diff', '-FH', since, datasetOf(since)], options))
    yield parseDiffLine(line, mountpoint)
}

/** `M⇥F⇥/mnt/a`, `R⇥F⇥/mnt/a⇥/mnt/b`, `M⇥F⇥/mnt/a⇥(-1)`: the last is one hard link fewer. */
export function parseDiffLine(line: string, mountpoint: string): DiffEntry {
  const [mark = '', type = '', path = '', more] = line.split('\t')
  const change = CHANGES[mark]
  if (change === undefined || !path.startsWith(mountpoint))
    throw new TidepoolError(
      'zfs-output',
      `zfs diff printed ${JSON.stringify(line.slice(0, 200))}, which is no line of its list`,
    )
  const below = (text: string): Buffer => unescaped(text.slice(mountpoint.length).replace(/^\//, ''))
  const kind = KINDS[type] ?? 'other'
  if (change !== 'renamed') return { change, kind, path: below(path) }
  return { change, kind, path: below(more ?? path), from: below(path) }
}

/** Whatever is no plain character is written as a backslash and four octal digits: a blank is `\0040`. */
function unescaped(text: string): Buffer {
  const pieces = text.split(/\\([0-7]{4})/)
  return Buffer.concat(
    pieces.map((piece, at) => (at % 2 === 0 ? Buffer.from(piece) : Buffer.from([Number.parseInt(piece, 8)]))),
  )
}
