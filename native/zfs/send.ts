/** `zfs send` as an async generator whose end is tied to the child's: a send that fails never looks like a short stream. */

import { LinkedAbort } from '../../pipeline/base/abort.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Capabilities } from './capabilities.ts'
import { ZfsError } from './errors.ts'
import { type BookmarkName, datasetOf, type SnapshotName } from './names.ts'
import { heard } from './silence.ts'
import type { Zfs } from './zfs.ts'

/** What a stream may contain beyond plain blocks; every host that is to receive it has to know these. */
export interface SendFlags {
  readonly compressed?: boolean
  readonly largeBlocks?: boolean
  readonly embedded?: boolean
  /** Encrypted blocks as they are on disk. Never mixed with streams without it. */
  readonly raw?: boolean
}

export interface SendOptions {
  /** An earlier snapshot of the same dataset, or a bookmark of one; none for a full stream. */
  readonly from?: SnapshotName | BookmarkName
  readonly flags?: SendFlags
  readonly signal?: AbortSignal
}

const LETTERS = [
  ['compressed', 'c'],
  ['largeBlocks', 'L'],
  ['embedded', 'e'],
  ['raw', 'w'],
] as const satisfies readonly (readonly [keyof SendFlags, string])[]

/**
 * What is worth having where it exists. Not `-L`: once a dataset was sent with it, it must be for ever, and with records of
 * at most 128 KiB it changes nothing. Not `-w`: it is for encrypted datasets alone.
 */
export function usualFlags({ send }: Capabilities): SendFlags {
  return { compressed: send.compressed, embedded: send.embedded }
}

/** What a stream has in it for each flag, by the names of the parser; lz4 wherever the pool uses it, so nearly always. */
const BRINGS: Readonly<Record<keyof SendFlags, readonly string[]>> = {
  compressed: ['compressed', 'lz4'],
  embedded: ['embedded', 'lz4'],
  largeBlocks: ['large-blocks'],
  raw: ['raw'],
}

/** What is in each of its streams, whatever the flags: OpenZFS says of every file system from version 5 on that it may spill. */
export function alwaysBrings({ flavour }: Capabilities): readonly string[] {
  return flavour === 'openzfs' ? ['sa-spill'] : []
}

/** Those of the flags whose streams every host can receive that has just these features; null: nothing was said of it. */
export function flagsWithin(flags: SendFlags, receivable: readonly string[] | null): SendFlags {
  if (receivable === null) return flags
  const kept = LETTERS.filter(
    ([name]) => flags[name] && BRINGS[name].every((feature) => receivable.includes(feature)),
  )
  return Object.fromEntries(kept.map(([name]) => [name, true]))
}

function flagArgs(zfs: Zfs, flags: SendFlags): string[] {
  const wanted = LETTERS.filter(([name]) => flags[name])
  const missing = wanted.filter(([name]) => !zfs.capabilities.send[name])
  if (missing.length > 0)
    throw new TidepoolError(
      'not-supported',
      `this ZFS has no send -${missing.map(([, letter]) => letter).join('')}`,
      {
        hint: 'Use only the flags that its capabilities name.',
      },
    )
  return wanted.length === 0 ? [] : [`-${wanted.map(([, letter]) => letter).join('')}`]
}

/**
 * Yields the stream as it comes. It returns only where the child has ended with 0; leaving early ends the child, and it is
 * over when that returns. That base and end are still there afterwards is for the caller to see: zfs-fuse lets both be
 * destroyed under a send.
 */
export async function* send(
  zfs: Zfs,
  snapshot: SnapshotName,
  options: SendOptions = {},
): AsyncGenerator<Buffer, void, void> {
  const { from, flags = {} } = options
  if (from !== undefined && datasetOf(from) !== datasetOf(snapshot))
    throw new TidepoolError('base-unrelated', `${from} is no snapshot of ${datasetOf(snapshot)}`, {
      hint: 'A step starts from a snapshot or bookmark of the dataset that is sent.',
    })
  const args = ['send', ...flagArgs(zfs, flags), ...(from === undefined ? [] : ['-i', from]), snapshot]
  const { silenceLimitMs } = zfs.commands.settings
  const linked = new LinkedAbort(options.signal)
  try {
    const running = await zfs.commands.start('send', 'zfs', args, { signal: linked.signal })
    const silent = (): void =>
      linked.abort(
        new ZfsError(
          'zfs-timeout',
          `${running.command} has sent nothing for ${silenceLimitMs / 1000} s`,
          running.facts(),
        ),
      )
    try {
      const pieces: AsyncIterator<Buffer> = running.child.stdout[Symbol.asyncIterator]()
      for (;;) {
        const piece = await heard(silenceLimitMs, silent, () => next(pieces))
        if (piece === undefined) break
        yield piece
      }
      await heard(silenceLimitMs, silent, () => running.done)
    } finally {
      await running.stop()
    }
  } finally {
    linked.leave()
  }
}

/** A pipe that was torn down under us ends here like one that was read to its end: how the child ended says which it was. */
async function next(pieces: AsyncIterator<Buffer>): Promise<Buffer | undefined> {
  try {
    const { done, value } = await pieces.next()
    return done ? undefined : value
  } catch {
    return undefined
  }
}
