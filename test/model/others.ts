/** The operator, the scrub and a mirror, each as small programs over the real functions. */
import type { Guid, HostId } from '../../pipeline/base/ids.ts'
import { superfluousWrites } from '../../pipeline/graph/needed.ts'
import { pathToHead } from '../../pipeline/graph/plan.ts'
import { endWrite } from '../../pipeline/graph/resolve.ts'
import { readProject, settle } from '../../pipeline/graph/settle.ts'
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import type { Transaction } from '../../pipeline/graph/transaction.ts'
import {
  destroyProject,
  finishPurge,
  markDeleted,
  markDeleting,
  recreateProject,
  rollback,
  startPurge,
  supersedeWrites,
  undeleteProject,
} from '../../pipeline/graph/transitions.ts'
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
  decide(tools, (project) => recreateProject(project, owner, 0, tools.rules))

/** From destroyed to purged. */
export async function purge(tools: Tools): Promise<Outcome> {
  const { catalogue, chunks, rules } = tools
  const before = await readProject(catalogue, PROJECT)
  const purging =
    before.statics.life === 'purging'
      ? before
      : await settle(catalogue, before, startPurge(before, 0, rules), { rules })
  if (purging.statics.life !== 'purging') return 'over'
  for (const row of purging.rows.values())
    if (row.state === 'writing') await endWrite(catalogue, PROJECT, row)
  const ended = await readProject(catalogue, PROJECT)
  const alive = [...ended.rows.values()].filter((row) => row.state !== 'deleted')
  if (rules.purgeMarks) await catalogue.apply(markDeleting(ended, alive, 0))
  for (const row of alive) await chunks.remove(row)
  if (!rules.purgeMarks) await catalogue.apply(markDeleting(ended, alive, 0))
  for (const row of alive) await catalogue.apply(markDeleted(PROJECT, { ...row, state: 'deleting' }, 0))
  const empty = await readProject(catalogue, PROJECT)
  if (empty.statics.life !== 'purging' || [...empty.rows.values()].some((row) => row.state !== 'deleted'))
    return 'over'
  await settle(catalogue, empty, finishPurge(empty, 0, rules), { rules })
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

export async function sweep({ catalogue, chunks }: Tools): Promise<Outcome> {
  const project = await readProject(catalogue, PROJECT)
  for (const row of rowsIn(project, 'deleting', 'aborted')) {
    await chunks.remove(row)
    await catalogue.apply(markDeleted(PROJECT, row, 0))
  }
  return 'over'
}

/** Ends what a dead host was writing. */
export async function endStale({ catalogue }: Tools, dead: HostId): Promise<Outcome> {
  const row = await catalogue.readHost(dead)
  const project = await readProject(catalogue, PROJECT)
  if (row?.state === 'dead')
    for (const write of rowsIn(project, 'writing'))
      if (write.host === dead) await endWrite(catalogue, PROJECT, write)
  return 'over'
}

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
