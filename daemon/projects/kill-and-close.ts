/** Closes a project in which somebody is: whoever holds it is ended first, and comes to know it by a signal. */
import { type EndedHolders, endHolders } from '../../native/mount/end-holders.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { Closed } from './close.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { resident } from './resident.ts'

export interface KillOptions extends ActOptions {
  /** From SIGTERM to SIGKILL. @default 10 s */
  readonly graceMs?: number
}

export type KilledAndClosed = Closed & { readonly ended: EndedHolders['ended'] }

const GRACE_MS = 10_000
/** A service manager starts anew what was ended. */
const ROUNDS = 3
/** What serves projects: it is nobody's way to stay in one. */
const OURS = /(^|\/)zfs-fuse( |$)|daemon\/access\/main\.[jt]s/

/** Rejects with `dataset-busy` where those who are spared hold it, or others come again and again. */
export async function killAndClose(
  host: ProjectHost,
  id: ProjectId,
  close: (id: ProjectId, options: ActOptions) => Promise<Closed>,
  { graceMs = GRACE_MS, signal }: KillOptions = {},
): Promise<KilledAndClosed> {
  const ended: EndedHolders['ended'][number][] = []
  for (let round = 1; ; round++) {
    const there = await resident(host, id, { signal })
    if (there?.dataset.mounted) {
      const { mountpoint } = there.dataset
      const done = await endHolders(mountpoint, { graceMs, signal, isOurs: (line) => OURS.test(line) })
      ended.push(...done.ended)
    }
    try {
      return { ...(await close(id, { signal })), ended }
    } catch (error) {
      if (codeOf(error) !== 'dataset-busy' || round === ROUNDS) throw error
    }
  }
}
