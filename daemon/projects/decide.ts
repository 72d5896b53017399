/** What a dataset is to its project (rules 19, 20). Pure. */
import type { Guid, HostId } from '../../pipeline/base/ids.ts'
import { savesAs } from '../../pipeline/graph/descent.ts'
import { EVERY_RULE, type Rules } from '../../pipeline/graph/rules.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { isPoint } from '../../pipeline/graph/transitions/points.ts'

export interface DatasetFacts {
  readonly openedEpoch: bigint
  readonly newest: Guid | null
  readonly holds: (point: Guid) => boolean
  readonly written: boolean
  readonly mounted: boolean
}

export type Standing = 'current' | 'stale' | 'forked' | 'earlier-life'

export function whatIs(
  project: Project,
  facts: DatasetFacts,
  host: HostId,
  rules: Rules = EVERY_RULE,
): Standing {
  const as = savesAs(project, { host, openedEpoch: facts.openedEpoch, holds: facts.holds }, rules)
  if (as === 'head') return 'current'
  if (as === 'earlier-life') return 'earlier-life'
  const isSaved = !facts.written && facts.newest !== null && isPoint(project, facts.newest)
  return isSaved || !rules.staleProven ? 'stale' : 'forked'
}
