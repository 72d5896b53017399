/** The operator, the scrub and a mirror, each as small programs over the real functions. */
import type { Clock } from '../../pipeline/base/clock.ts'
import type { Guid, HostId } from '../../pipeline/base/ids.ts'
import { superfluousWrites } from '../../pipeline/graph/needed.ts'
import { pathToHead } from '../../pipeline/graph/plan.ts'
import { purgeProject } from '../../pipeline/graph/purge.ts'
import { removeEnded } from '../../pipeline/graph/removal.ts'
import { endWrite } from '../../pipeline/graph/resolve.ts'
import { readProject, settle } from '../../pipeline/graph/settle.ts'
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import type { Transaction } from '../../pipeline/graph/transaction.ts'
import { destroyProject, recreateProject, undeleteProject } from '../../pipeline/graph/transitions/life.ts'
import { rollback } from '../../pipeline/graph/transitions/points.ts'
import { markDeleting, supersedeWrites } from '../../pipeline/graph/transitions/removal.ts'
import { Liveness } from '../../pipeline/scrub/liveness.ts'
import { violate } from './judge.ts'
import { NO_HISTORY, type Outcome, type Tools } from './machine.ts'
import { PROJECT } from './world.ts'

/** Reads the project, decides by it, and sees to it that the decision is over. */
async function decide(tools: Tools, plan: (project: Project) => Transaction): Promise<Outcome> {
  const { catalogue, rules } = tools
  const project = await readProject(catalogue, PROJECT)
  await settle(catalogue, project, plan(project), { rules })
  return 'over'
}

export const rollBack = (tools: Tools, to: Guid): Promise<Outcome> =>
  decide(tools, (project) => rollback(project, to, 'left-by-rollback', tools.rules))
export const destroy = (tools: Tools): Promise<Outcome> =>
  decide(tools, (project) => destroyProject(project, 0, tools.rules))
export const undelete = (tools: Tools): Promise<Outcome> =>
  decide(tools, (project) => undeleteProject(project, 0, tools.rules))
export const recreate = (tools: Tools, owner: HostId): Promise<Outcome> =>
  decide(tools, (project) => recreateProject(project, { owner, nowMs: 0 }, tools.rules))

export async function purge({ catalogue, chunks: { blobs }, rules }: Tools): Promise<Outcome> {
  await purgeProject({ catalogue, blobs }, PROJECT, { rules })
  return 'over'
}

const rowsIn = (project: Project, ...states: WriteRow['state'][]): WriteRow[] =>
  [...project.rows.values()].filter((row) => states.includes(row.state))

/** Takes off the graph what no kept point needs. */
export async function supersede(tools: Tools): Promise<Outcome> {
  const { catalogue, rules } = tools
  const project = await readProject(catalogue, PROJECT)
  const edges = superfluousOf(project, tools)
  if (edges.length > 0) await catalogue.apply(supersedeWrites(project, edges, 0, rules))
  return 'over'
}

export const superfluousOf = (project: Project, { rules }: Pick<Tools, 'rules'>): WriteRow[] =>
  superfluousWrites(project, { policy: NO_HISTORY, rules })

/** Grace is over at once in the model. */
export async function condemn({ catalogue }: Tools): Promise<Outcome> {
  const project = await readProject(catalogue, PROJECT)
  const edges = rowsIn(project, 'superseded')
  if (edges.length > 0) await catalogue.apply(markDeleting(project, edges, 0))
  return 'over'
}

export async function sweep({ catalogue, chunks: { blobs } }: Tools): Promise<Outcome> {
  const project = await readProject(catalogue, PROJECT)
  for (const row of rowsIn(project, 'deleting', 'aborted'))
    await removeEnded({ catalogue, blobs }, PROJECT, row)
  return 'over'
}

/** Ends what nobody can go on with any more. */
export async function endStale({ catalogue }: Tools): Promise<Outcome> {
  const liveness = new Liveness(catalogue, { clock: NO_TIME, staleAfterMs: 1, isGone: () => false })
  const project = await readProject(catalogue, PROJECT)
  for (const row of rowsIn(project, 'writing'))
    if ((await liveness.judge(row)).fate === 'over') await endWrite(catalogue, PROJECT, row)
  return 'over'
}

/** Nothing is ever seen to stand still: who is dead was marked so. */
const NO_TIME: Clock = { monotonicMs: () => 0, wallMs: () => 0, sleep: async () => {} }

/** Reads the head's path write by write; what it misses it explains to itself by the project. */
export async function mirror({ catalogue, chunks, rules, now }: Tools): Promise<Outcome> {
  for (let tries = 0; tries <= 3; tries++) {
    const project = await readProject(catalogue, PROJECT)
    if (project.statics.life !== 'live') return 'over'
    const missed = await firstMissed(pathToHead(project) ?? [], chunks)
    if (!missed) return 'over'
    const again = await readProject(catalogue, PROJECT)
    if (again.statics.life !== 'live') return 'over'
    if (again.rows.get(missed.writeId)?.state !== 'committed' && rules.replan) continue
    await now((world) => violate(world, 'a reader reported damage where nothing is damaged'))
    return 'over'
  }
  return 'over'
}

async function firstMissed(
  path: readonly WriteRow[],
  chunks: Tools['chunks'],
): Promise<WriteRow | undefined> {
  for (const row of path) if ((await chunks.firstMissing([row])) !== undefined) return row
  return undefined
}
