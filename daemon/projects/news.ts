/**
 * "Anything new?": whether a project holds what its newest snapshot does not. Where ZFS counts what was written it is
 * asked; elsewhere a snapshot is made and the step to it looked into, which is what counts everywhere.
 */
import { destroySnapshot, snapshotAmong } from '../../native/zfs/dataset.ts'
import type { Snapshot } from '../../native/zfs/list.ts'
import { send } from '../../native/zfs/send.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { KIB } from '../../pipeline/base/units.ts'
import { inspect } from '../../pipeline/stream/inspect.ts'
import { StreamParser } from '../../pipeline/stream/parser.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { pointName } from './names.ts'
import { newest, type Resident } from './resident.ts'

export interface EndOptions extends ActOptions {
  /**
   * Trusts a count of nothing written, which is up to a few seconds old: for a sweep that comes again. Otherwise what
   * was written before the call is in the answer.
   */
  readonly quick?: boolean
}

/** What the project holds, as a snapshot: the newest one where nothing was written since, else one made for it. */
export async function currentSnapshot(
  host: ProjectHost,
  there: Resident,
  options: EndOptions = {},
): Promise<Snapshot> {
  const last = newest(there)
  if (last && surelyNothingWritten(there, options)) return last
  const { made, all } = await takeAmong(host, there, options)
  // Where somebody has made one in between, what was written since `last` is in that.
  const lastNow = all[all.indexOf(made) - 1]
  if (!lastNow || lastNow.guid !== last?.guid || (await differs(host.zfs, lastNow, made, options)))
    return made
  await destroySnapshot(host.zfs, made.name, made.guid)
  return lastNow
}

/** One more snapshot, whatever there is; its name says when. */
export async function takePoint(
  host: ProjectHost,
  there: Resident,
  options: ActOptions & { readonly local?: boolean } = {},
): Promise<Snapshot> {
  return (await takeAmong(host, there, options)).made
}

function takeAmong(
  { zfs, clock }: ProjectHost,
  there: Resident,
  { signal, local = false }: ActOptions & { readonly local?: boolean } = {},
) {
  const names = there.snapshots.map(({ name }) => name)
  const name = pointName(there.name, names, clock.wallMs(), { local })
  return snapshotAmong(zfs, name, {}, signal ? { signal } : {})
}

/** By its counters alone. False says nothing. */
function surelyNothingWritten({ dataset }: Resident, { quick = false }: EndOptions): boolean {
  const { writtenBytes, mounted } = dataset
  if (writtenBytes === undefined || writtenBytes > 0n) return false
  // An unmount waits until everything is written; a mounted one has seconds that no counter knows of.
  return quick || !mounted
}

/** Whether the later of two snapshots in a row, both listed since, has anything that the earlier has not. */
export async function differs(
  zfs: Zfs,
  earlier: Snapshot,
  later: Snapshot,
  { signal }: ActOptions,
): Promise<boolean> {
  const run = signal ? { signal } : {}
  const { writtenBytes: bytes } = later
  if (bytes !== undefined) {
    // After a rollback OpenZFS writes a few blocks of its own: a little is counted, and no file is another.
    if (bytes === 0n || bytes > EMPTY_STEP_BYTES) return bytes > 0n
  }
  // By what they take: enough to tell most that differ, for the price of nothing. What the earlier alone keeps was freed since.
  else if (earlier.usedBytes > 0n || earlier.referencedBytes !== later.referencedBytes) return true
  return stepHasContent(zfs, earlier, later, run)
}

/** A step without content is a few records long; whatever is longer has some. */
const EMPTY_STEP_BYTES = 64 * KIB

async function stepHasContent(
  zfs: Zfs,
  from: Snapshot,
  to: Snapshot,
  run: { readonly signal?: AbortSignal },
): Promise<boolean> {
  const parser = new StreamParser()
  let bytes = 0
  for await (const piece of inspect(send(zfs, to.name, { from: from.name, ...run }), parser)) {
    bytes += piece.length
    if (bytes > EMPTY_STEP_BYTES) return true
  }
  const { records } = parser.end()
  return Object.keys(records).some((name) => name !== 'BEGIN' && name !== 'END')
}
