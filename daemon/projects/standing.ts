/** How what the pool has of a project stands to what the store has: the facts, gathered, for `decide.ts` to judge. */
import type { Project } from '../../pipeline/graph/state.ts'
import { type Standing, whatIs } from './decide.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { currentSnapshot } from './news.ts'
import { holds, newest, type Resident } from './resident.ts'

/**
 * With what was found on the way: a dataset whose state can only be told by a snapshot has one more afterwards. A mounted
 * one may change at any moment, so only `current` is sure of one that is.
 */
export async function standing(
  host: ProjectHost,
  project: Project,
  there: Resident,
  options: ActOptions = {},
): Promise<Standing> {
  const facts = {
    openedEpoch: there.openedEpoch,
    newest: newest(there)?.guid ?? null,
    holds: holds(there),
    mounted: there.dataset.mounted,
  }
  const ifClean = whatIs(project, { ...facts, written: false }, host.host)
  const ifWritten = whatIs(project, { ...facts, written: true }, host.host)
  if (ifClean === ifWritten) return ifClean
  if (host.untouched.is(there)) return ifClean
  const now = await currentSnapshot(host, there, options)
  return now.guid === facts.newest ? ifClean : ifWritten
}
