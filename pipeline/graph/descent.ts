/** What a dataset may do to its project: move the head, only become a side point, or nothing at all (rules 3, 19, 20). */
import type { Guid, HostId } from '../base/ids.ts'
import { EVERY_RULE, type Rules } from './rules.ts'
import type { Project } from './state.ts'

export interface Descent {
  /** Whose dataset it is: only the owner moves the head. */
  readonly host: HostId
  /** The project's epoch when the dataset was opened, as the dataset remembers it. */
  readonly openedEpoch: bigint
  /** Whether the dataset holds that GUID as a snapshot or a bookmark. */
  readonly holds: (point: Guid) => boolean
}

/**
 * `head`: it is the owner's, descends from the head and was opened under the present epoch. `side`: something else became the
 * truth meanwhile, so what it holds is kept beside it. `earlier-life`: it is of a project that was purged.
 */
export function savesAs(
  project: Project,
  { host, openedEpoch, holds }: Descent,
  rules: Rules = EVERY_RULE,
): 'head' | 'side' | 'earlier-life' {
  const { born, epoch, head, owner } = project.statics
  if (rules.lifeBound && openedEpoch < born) return 'earlier-life'
  if (owner !== host) return 'side'
  if (rules.epochBound && openedEpoch !== epoch) return 'side'
  if (rules.descends && head !== null && !holds(head)) return 'side'
  return 'head'
}
