/** `zfs receive` fed from a source: into a dataset that was looked at first, verified by GUID after, and never with -F. */
import type { Writable } from 'node:stream'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import { allOf } from '../../pipeline/base/all-of.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid } from '../../pipeline/base/ids.ts'
import { assignments, setProperties, type Values } from './dataset.ts'
import { ZfsError } from './errors.ts'
import { exists } from './get.ts'
import { findSnapshot, type Snapshot, wholeDataset } from './list.ts'
import { type DatasetName, datasetName, snapshotOf } from './names.ts'
import type { Running } from './run.ts'
import { heard } from './silence.ts'
import { undoReceive } from './undo-receive.ts'
import type { Zfs } from './zfs.ts'

/** With a function, the source is told when nobody reads any more, and a wait of its own can end at once. */
export type Source = AsyncIterable<Uint8Array> | ((signal: AbortSignal) => AsyncIterable<Uint8Array>)

export interface ReceiveOptions {
  /** The snapshot that the stream starts from, which must be the newest there; none for a full stream into a new dataset. */
  readonly from?: Guid
  /** The snapshot that it leads to. */
  readonly to: Guid
  /** What the new snapshot is called, where not as it was when it was sent. */
  readonly tag?: string
  /** What a new dataset is given beside `canmount=noauto`, before this resolves. */
  readonly set?: Values
  /** The name was drawn for it below what is known to be there: nobody looks whether it is taken. */
  readonly isDrawn?: boolean
  readonly signal?: AbortSignal
}

/**
 * Resolves with the received snapshot, whose GUID is `to`; the dataset is not mounted, and a new one is `canmount=noauto`.
 * Where it rejects, everything is settled and what this call had received is gone again: a new dataset as a whole, of a step
 * its snapshot.
 */
export async function receive(
  zfs: Zfs,
  target: DatasetName,
  source: Source,
  options: ReceiveOptions,
): Promise<Snapshot> {
  const linked = new LinkedAbort(options.signal)
  const sourceAbort = new LinkedAbort(linked.signal)
  let untouched = typeof source === 'function' ? undefined : source
  try {
    if (!options.isDrawn || options.from !== undefined) await checkTarget(zfs, target, options)
    const name = options.tag === undefined ? target : snapshotOf(target, options.tag)
    // A dataset starts with `canmount=on`, and a `zfs mount -a` at the next boot would then mount what is given a mountpoint.
    const values = options.from === undefined ? { canmount: 'noauto', ...options.set } : {}
    const given = zfs.capabilities.receive.properties ? assignments(values).flatMap((one) => ['-o', one]) : []
    const args = ['receive', '-u', ...given, name]
    const running = await zfs.commands.start('receive', 'zfs', args, { signal: linked.signal, stdin: true })
    try {
      try {
        untouched = undefined
        const pieces = typeof source === 'function' ? source(sourceAbort.signal) : source
        await feed(zfs, running, pieces, sourceAbort, linked)
      } finally {
        await running.stop()
      }
      const [snapshot] = await allOf([
        received(zfs, target, options),
        given.length === 0 ? setProperties(zfs, target, values) : Promise.resolve(),
      ])
      return snapshot
    } catch (error) {
      // Of a receive that cannot be ended nobody knows when it is over: what it leaves is for the next start.
      if (codeOf(error) !== 'zfs-stuck')
        await undoReceive(zfs, target, options).catch((left) => leftBehind(target, error, left))
      throw error
    }
  } finally {
    // A source that was handed over is ended, also one that was never read.
    await untouched?.[Symbol.asyncIterator]().return?.()
    sourceAbort.leave()
    linked.leave()
  }
}

/** The first error stays the one that is told; what could not be taken back is told with it. */
function leftBehind(target: DatasetName, error: unknown, left: unknown): never {
  const words = (of: unknown): string => (of instanceof Error ? of.message : String(of))
  const message = `${words(error)}; and what was received of it is left in ${target}: ${words(left)}`
  const { hint, temporary } = error instanceof TidepoolError ? error : { hint: undefined, temporary: false }
  throw new TidepoolError(codeOf(error) ?? 'receive-failed', message, {
    cause: error,
    temporary,
    ...(hint === undefined ? {} : { hint }),
  })
}

async function checkTarget(zfs: Zfs, target: DatasetName, options: ReceiveOptions): Promise<void> {
  const run = options.signal ? { signal: options.signal } : {}
  const { from } = options
  if (from === undefined) {
    const parent = target.slice(0, Math.max(0, target.lastIndexOf('/')))
    const [taken, hasParent] = await allOf([
      exists(zfs, target, run),
      parent === '' ? Promise.resolve(false) : exists(zfs, datasetName(parent), run),
    ])
    if (taken)
      throw new TidepoolError('dataset-exists', `${target} exists: a full stream goes into a new dataset`, {
        hint: 'Receive it under another name.',
      })
    if (!hasParent)
      throw new TidepoolError('parent-missing', `${target} has no parent to be received into`, {
        hint: 'Create the pool and the parent dataset first.',
      })
    return
  }
  // zfs-fuse looks for the base in the whole pool: a step into a name that is not there goes silently into another dataset.
  const whole = await wholeDataset(zfs, target, run)
  if (whole === undefined)
    throw new TidepoolError(
      'dataset-missing',
      `${target} does not exist: a step goes into the dataset that has its base`,
    )
  // A kernel or FUSE cache would go on showing the old files.
  if (whole.dataset.mounted)
    throw new TidepoolError('dataset-mounted', `${target} is mounted at ${whole.dataset.mountpoint}`, {
      hint: 'Unmount it first.',
    })
  const newest = whole.snapshots.at(-1)
  if (newest?.guid !== from)
    throw new TidepoolError(
      'base-missing',
      `the newest snapshot of ${target} is ${newest?.guid ?? 'none'}, not ${from}`,
      {
        hint: 'Plan from what is there.',
      },
    )
}

/**
 * Resolves when all of the source was taken and the child has ended with 0; otherwise rejects with what went wrong first.
 * Not with `pump`: it takes a child that ends at the END record, before the source has said its last word, for a fault.
 */
async function feed(
  zfs: Zfs,
  running: Running,
  source: AsyncIterable<Uint8Array>,
  sourceAbort: LinkedAbort,
  linked: LinkedAbort,
): Promise<void> {
  const { silenceLimitMs } = zfs.commands.settings
  const { child, command, done } = running
  const silent = (): void =>
    linked.abort(
      new ZfsError(
        'zfs-timeout',
        `${command} has taken nothing for ${silenceLimitMs / 1000} s`,
        running.facts(),
      ),
    )
  let failure: { error: unknown } | undefined
  done.catch((error: unknown) => {
    failure = { error }
    sourceAbort.abort(error)
  })
  try {
    for await (const piece of source) {
      if (piece.length === 0) continue
      // A piece is the source's again when the next is asked for, so it waits until this one is in the pipe.
      if (await heard(silenceLimitMs, silent, () => write(child.stdin, piece))) continue
      await done
      throw new TidepoolError(
        'stream-trailing',
        `${command} ended before all that was sent to it was taken`,
        {
          hint: 'One receive takes one stream: what follows it would be lost.',
        },
      )
    }
  } catch (error) {
    if (failure) throw failure.error
    // Before the pipe ends: what was delivered so far may look whole, and must not be taken for it.
    await running.stop()
    throw error
  }
  child.stdin.end()
  await heard(silenceLimitMs, silent, () => done)
}

/** False where nobody takes it any more. */
function write(stdin: Writable, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => stdin.write(piece, (error) => resolve(!error)))
}

async function received(zfs: Zfs, target: DatasetName, options: ReceiveOptions): Promise<Snapshot> {
  const found = await findSnapshot(zfs, target, options.to)
  if (found === undefined)
    throw new TidepoolError(
      'received-other',
      `what was received into ${target} is not the snapshot ${options.to}`,
      {
        hint: 'The stream is not the one that its manifest tells of: run a deep scrub of it.',
      },
    )
  return found
}
