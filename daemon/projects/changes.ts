/** What has changed in a project since one of its points, where ZFS can tell by itself: the point is in this pool, and so is the project. */
import { type DiffEntry, diff } from '../../native/zfs/diff.ts'
import { ZfsError } from '../../native/zfs/errors.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { type Resident, resident } from './resident.ts'
import { pointOf, type WhichPoint } from './which-point.ts'

export interface Changes {
  readonly point: Guid
  readonly entries: readonly DiffEntry[]
  /** There are more. */
  readonly truncated: boolean
}

/** What one answer holds. */
const MAX_ENTRIES = 20_000

/**
 * Rejects with `no-diff` where another way has to be taken: to restore the point, and to compare the two trees. Nothing is
 * locked, and nothing waits for it.
 */
export async function changesSince(
  host: ProjectHost,
  id: ProjectId,
  which: WhichPoint,
  options: ActOptions & { readonly maxEntries?: number } = {},
): Promise<Changes> {
  const project = await readProject(host.store.catalogue, id, options)
  const point = pointOf(project, which)
  const there = await resident(host, id, options)
  const snapshot = there?.snapshots.find(({ guid }) => guid === point)
  const why = whyNoDiff(host, there, snapshot !== undefined)
  if (why !== undefined || !there || !snapshot) throw noDiff(id, point, why ?? 'it went')
  const { maxEntries = MAX_ENTRIES, signal } = options
  const entries: DiffEntry[] = []
  try {
    const found = diff(host.zfs, snapshot.name, there.dataset.mountpoint, signal ? { signal } : {})
    for await (const entry of found) {
      if (entries.length === maxEntries) return { point, entries: told(entries), truncated: true }
      entries.push(entry)
    }
  } catch (error) {
    if (error instanceof ZfsError) throw noDiff(id, point, error.message, error)
    throw error
  }
  return { point, entries: told(entries), truncated: false }
}

const noDiff = (id: ProjectId, point: Guid, why: string, cause?: unknown): TidepoolError =>
  new TidepoolError('no-diff', `what changed in ${id} since point ${point} is not known here: ${why}`, {
    cause,
    hint: 'Restore the point, and compare.',
    facts: { project: id, point },
  })

function whyNoDiff({ zfs }: ProjectHost, there: Resident | undefined, hasPoint: boolean): string | undefined {
  if (!zfs.capabilities.diff) return 'this ZFS has no diff'
  if (!there) return 'the pool has nothing of the project'
  if (!there.dataset.mounted) return 'it is not mounted'
  return hasPoint ? undefined : 'the pool has no snapshot of that point'
}

/** A directory is modified by each entry that comes or goes, which is told of that entry. */
function told(entries: readonly DiffEntry[]): DiffEntry[] {
  const parents = new Set(
    entries
      .filter(({ change }) => change !== 'modified')
      .flatMap(({ path, from }) => [path, ...(from ? [from] : [])].map(parentOf)),
  )
  return entries.filter(
    ({ change, kind, path }) =>
      !(change === 'modified' && kind === 'dir' && parents.has(path.toString('latin1'))),
  )
}

function parentOf(path: Buffer): string {
  const text = path.toString('latin1')
  return text.slice(0, Math.max(0, text.lastIndexOf('/')))
}
