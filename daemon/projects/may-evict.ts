/** Whether what the pool has of a project may be destroyed: every proof that rule 21 asks for, or which one is missing. Pure. */
import type { Guid } from '../../pipeline/base/ids.ts'
import { EVERY_RULE, type Rules } from '../../pipeline/graph/rules.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { isPoint } from '../../pipeline/graph/transitions/points.ts'

export interface EvictFacts {
  readonly mounted: boolean
  /** Whether the dataset has anything that its newest snapshot has not. */
  readonly written: boolean
  readonly newest: Guid | null
  /** The point of which every chunk on a path from nothing was seen in the store; null where that was not looked at. */
  readonly proven: Guid | null
}

/** `mounted`: somebody may write yet. `written`: somebody did. `unproven`: the store may lack some of it. */
export type MissingProof = 'mounted' | 'written' | 'unproven'

/** By looks at the project and the dataset that came after the proof: what was proven must still be all that there is. */
export function mayEvict(
  project: Project,
  { mounted, written, newest, proven }: EvictFacts,
  rules: Rules = EVERY_RULE,
): 'yes' | MissingProof {
  if (rules.umountFirst && mounted) return 'mounted'
  if (rules.proveClean && written) return 'written'
  // A purge has its rows committed for a while yet, and takes them all.
  const { life } = project.statics
  const stays = life === 'live' || life === 'destroyed'
  const inStore = stays && newest !== null && newest === proven && isPoint(project, newest)
  return rules.proveStore && !inStore ? 'unproven' : 'yes'
}
