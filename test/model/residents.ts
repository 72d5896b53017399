/**
 * What a host does to a dataset that its pool has already: opens it again, takes it out of the pool. Which of these it may
 * do is decided by the functions that the daemon asks.
 */
import { whatIs } from '../../daemon/projects/decide.ts'
import { mayEvict } from '../../daemon/projects/may-evict.ts'
import type { WriteId } from '../../pipeline/base/ids.ts'
import { cheapestPaths } from '../../pipeline/graph/plan.ts'
import type { Rules } from '../../pipeline/graph/rules.ts'
import { settle } from '../../pipeline/graph/settle.ts'
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import { releaseProject } from '../../pipeline/graph/transitions/owner.ts'
import { takeProject } from '../../pipeline/hosts/take.ts'
import { violate } from './judge.ts'
import {
  datasetOf,
  descentOf,
  type Outcome,
  readOwn,
  type Self,
  save,
  setAside,
  type Tools,
} from './machine.ts'
import {
  type Dataset,
  isDirty,
  machineOf,
  newestOf,
  PROJECT,
  setDataset,
  setMachine,
  UNTOUCHED,
  type World,
} from './world.ts'

export const EVICTS = 'evicts'

const standingOf = (project: Project, dataset: Dataset, self: Self, rules: Rules) =>
  whatIs(
    project,
    {
      ...descentOf(self.host, dataset),
      newest: newestOf(dataset),
      written: isDirty(dataset),
      mounted: dataset.mounted,
    },
    self.host,
    rules,
  )

/** Committed streams from what the dataset has to the head; null where none lead there, or only from nothing. */
function stepsToHead({ statics: { head }, rows }: Project, dataset: Dataset): readonly WriteRow[] | null {
  const path = head === null ? null : cheapestPaths(rows.values(), { from: [newestOf(dataset)] }).to(head)
  return path?.[0]?.from === null ? null : path
}

/** Mounts what is current, receives into what is stale, saves and sets aside the rest; each round reads anew. */
export async function reopen(tools: Tools, self: Self, writeId: WriteId): Promise<Outcome> {
  const { catalogue, chunks, rules } = tools
  await takeProject(catalogue, PROJECT, self.host, { rules })
  for (let round = 0; round <= 3; round++) {
    const project = await readOwn(tools, self)
    if (project.statics.life !== 'live' || project.statics.owner !== self.host) return 'over'
    const dataset = await datasetOf(tools, self)
    if (dataset === null) return 'over'
    const standing = standingOf(project, dataset, self, rules)
    if (standing === 'current') return tools.now((world) => mounts(world, self, {}))
    const path = standing === 'stale' ? stepsToHead(project, dataset) : null
    if (standing === 'earlier-life') return tools.now((world) => setAside(world, self.name))
    await tools.now((world) => setDataset(world, self.name, { mounted: false }))
    if (path === null) {
      await save(tools, self, writeId, 'newest base')
      continue
    }
    await tools.now((world) => setMachine(world, self.name, { opening: UNTOUCHED }))
    if ((await chunks.firstMissing(path)) !== undefined) continue
    const snapshots = [...dataset.snapshots, ...path.map((row) => row.to)]
    const received = { snapshots, live: project.statics.head ?? '', openedEpoch: project.statics.epoch }
    return tools.now((world) => {
      const { dataset: there, opening } = machineOf(world, self.name)
      const past = opening ?? UNTOUCHED
      setMachine(world, self.name, { opening: null })
      // ZFS receives only onto what the stream was made for, and never by force.
      if (!there || newestOf(there) !== newestOf(dataset)) return 'over'
      return mounts(world, self, { ...received, past })
    })
  }
  return 'over'
}

function mounts(world: World, { name }: Self, set: Partial<Dataset>): Outcome {
  if (machineOf(world, name).dataset?.past.earlierLife)
    violate(world, `machine ${name} mounted a dataset of an earlier life`)
  setDataset(world, name, { ...set, mounted: true })
  return 'over'
}

/** Without a save first, so that nothing but the proofs stands between what was written and its end. */
export async function evict(tools: Tools, self: Self): Promise<Outcome> {
  const { catalogue, rules } = tools
  if (rules.umountFirst) await tools.now((world) => setDataset(world, self.name, { mounted: false }))
  try {
    const project = await readOwn(tools, self)
    const proven = await provenPoint(tools, self, project)
    const dataset = await datasetOf(tools, self)
    if (dataset === null) return 'over'
    const facts = { mounted: dataset.mounted, written: isDirty(dataset), newest: newestOf(dataset), proven }
    if (mayEvict(project, facts, rules) !== 'yes') return 'over'
    await tools.later('destroys its dataset', (world) => setMachine(world, self.name, { dataset: null }))
  } finally {
    await tools.now((world) => setDataset(world, self.name, { mounted: true }))
  }
  const project = await readOwn(tools, self)
  if (project.statics.owner === self.host)
    await settle(catalogue, project, releaseProject(project), { rules })
  return 'over'
}

/** The newest snapshot, if it is a point and every chunk that leads to it is there. */
async function provenPoint({ chunks, now }: Tools, self: Self, { rows }: Project) {
  const dataset = await now((world) => machineOf(world, self.name).dataset)
  const path = dataset && cheapestPaths(rows.values()).to(newestOf(dataset))
  if (!dataset || !path || (await chunks.firstMissing(path)) !== undefined) return null
  return newestOf(dataset)
}
