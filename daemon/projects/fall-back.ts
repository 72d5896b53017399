/**
 * Where the newest point can't be received: back to the next older one, by a transaction before anything is mounted
 * (rule 12). The unreadable one is marked and kept, so that it is there when the store is whole again.
 */
import { codeOf, messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import { cheapestPaths } from '../../pipeline/graph/plan.ts'
import { newestFirst, pastHeads, reachablePoints } from '../../pipeline/graph/points.ts'
import { settle } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { rollback } from '../../pipeline/graph/transitions/points.ts'
import type { ActOptions, ProjectHost } from './host.ts'

export interface FellBack {
  readonly from: Guid
  readonly to: Guid
  readonly why: string
}

/** What no other try will change: bytes that are gone or wrong, or that no ZFS here takes. Not: a full pool, a store that is away. */
const UNREADABLE = new Set([
  'chunk-missing',
  'write-damaged',
  'received-other',
  'stream-checksum',
  'stream-foreign',
  'stream-truncated',
])

export const isUnreadable = (error: unknown): boolean => UNREADABLE.has(codeOf(error) ?? '')

/** Rejects with the error itself where there is nothing older. */
export async function fallBack(
  host: ProjectHost,
  project: Project,
  error: unknown,
  options: ActOptions = {},
): Promise<{ readonly project: Project; readonly fellBack: FellBack }> {
  const from = project.statics.head
  const to = from === null ? undefined : nextOlder(project, from)
  if (from === null || to === undefined) throw error
  const after = await settle(host.store.catalogue, project, rollback(project, to, 'unreadable'), options)
  if (after.statics.head !== to) throw changed(project.id, error)
  const why = messageOf(error)
  return { project: after, fellBack: { from, to, why } }
}

/** The newest point that was made before the head, and not one that was found unreadable itself. */
export function nextOlder(project: Project, head: Guid): Guid | undefined {
  const paths = cheapestPaths(project.rows.values())
  const heads = pastHeads(project)
  const points = [...reachablePoints(project, paths).values()].sort(newestFirst)
  // Where no streams lead to the head, all others are older: -1 + 1.
  const older = points.slice(points.findIndex(({ guid }) => guid === head) + 1)
  return older.find(({ guid }) => heads.has(guid) && project.statics.kept[guid] !== 'unreadable')?.guid
}

function changed(id: ProjectId, cause: unknown): TidepoolError {
  return new TidepoolError('project-busy', `project ${id} was changed by somebody else while it was opened`, {
    temporary: true,
    cause,
    hint: 'Try again.',
  })
}
