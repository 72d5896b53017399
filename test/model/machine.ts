/**
 * What a host does to its project and to its own row: thin programs over the real functions, as a daemon would have
 * them. Each runs to its end or until its machine crashes; between them a machine remembers only what its dataset
 * and its counters say.
 */
import { afterSave } from '../../daemon/projects/after-save.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import type { Guid, HostId, SessionId, WriteId } from '../../pipeline/base/ids.ts'
import { commitAttempt } from '../../pipeline/graph/commit.ts'
import { type Descent, savesAs } from '../../pipeline/graph/descent.ts'
import { isReachable, pathToHead } from '../../pipeline/graph/plan.ts'
import { readResolved } from '../../pipeline/graph/resolve.ts'
import type { Rules } from '../../pipeline/graph/rules.ts'
import { readProject, settle } from '../../pipeline/graph/settle.ts'
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import { releaseProject } from '../../pipeline/graph/transitions/owner.ts'
import { beginWrite } from '../../pipeline/graph/transitions/writes.ts'
import { finishReturn, registerHost, renewHost } from '../../pipeline/hosts/session.ts'
import { markDead, takeProject, touchAfterReturn } from '../../pipeline/hosts/take.ts'
import type { Catalogue } from '../../pipeline/stores/contract.ts'
import type { Manifest } from '../../pipeline/transfer/manifest.ts'
import { judgeRefusal, violate } from './judge.ts'
import { type AskingChunks, CHUNK_BYTES, extentOf } from './requests.ts'
import {
  type Dataset,
  isDirty,
  type MachineName,
  machineOf,
  newestOf,
  PROJECT,
  setDataset,
  setMachine,
  textOf,
  UNTOUCHED,
  type World,
} from './world.ts'

export interface Tools {
  readonly catalogue: Catalogue
  readonly chunks: AskingChunks
  readonly rules: Rules
  /** At this very moment, on this machine. */
  now<Result>(act: (world: World) => Result): Promise<Result>
  /** On this machine, after whatever else comes first. */
  later(label: string, act: (world: World) => void): Promise<void>
}

export interface Self {
  readonly name: MachineName
  readonly host: HostId
  readonly session: SessionId
}

/** `over`: what was asked for has happened, or never will. `open`: nobody knows. */
export type Outcome = 'over' | 'open'

/** Only the newest point is wanted, so that every edge becomes superfluous as soon as it can. */
export const NO_HISTORY = { latest: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0 }

/** Codes with which the real functions say that something did not happen and never will. */
const REFUSALS = ['commit-refused', 'owned-elsewhere', 'host-lost', 'write-not-writing', 'point-unknown']

export function outcomeOf(error: unknown): Outcome {
  const code = codeOf(error)
  if (code === 'outcome-unknown' || code === 'store-unavailable') return 'open'
  if (code && (REFUSALS.includes(code) || code.startsWith('project-'))) return 'over'
  throw error
}

export const datasetOf = (tools: Tools, self: Self): Promise<Dataset | null> =>
  tools.now((world) => machineOf(world, self.name).dataset)

export const descentOf = (host: HostId, { openedEpoch, snapshots, bookmarks = [] }: Dataset): Descent => ({
  host,
  openedEpoch,
  holds: (point) => snapshots.includes(point) || bookmarks.includes(point),
})

/** The project without anything open that earlier attempts of this machine left behind. */
export async function readOwn(tools: Tools, self: Self): Promise<Project> {
  const { catalogue, rules } = tools
  await finishesFound(tools, self)
  const resolver = { ...self, isEnded: endedBefore(self), rules }
  return (await readResolved(catalogue, PROJECT, resolver)).project
}

/** A machine knows of its own sessions, one after the other, that the earlier ones are over. */
const endedBefore = (self: Self) => (session: SessionId) =>
  session !== self.session && session.startsWith(self.name)

/** What a daemon without the rule `unsealed` would do at its start. */
async function finishesFound({ catalogue, rules }: Tools, self: Self): Promise<void> {
  if (rules.unsealed) return
  const project = await readProject(catalogue, PROJECT)
  for (const row of project.rows.values())
    if (row.state === 'writing' && row.session !== self.session && endedBefore(self)(row.session))
      await commitAttempt(catalogue, {
        writeId: row.writeId,
        manifest: manifestOf(row),
        planned: project,
        rules,
        retention: { policy: NO_HISTORY },
      })
}

export type Base = 'newest base' | 'oldest base' | 'nothing'

/** Snapshot, intent, chunk, commit. */
export async function save(tools: Tools, self: Self, writeId: WriteId, base: Base): Promise<Outcome> {
  const { catalogue, chunks, rules } = tools
  const compacts = base === 'nothing'
  const project = await readOwn(tools, self)
  const dataset = await tools.now((world) => takeSnapshot(world, self.name))
  if (dataset === null) return 'over'
  const { head } = project.statics
  const newest = newestOf(dataset)
  const to = compacts ? head : newest
  const as = savesAs(project, descentOf(self.host, dataset), rules)
  if (as === 'earlier-life' || (as === 'side' && isReachable(project, newest)))
    return tools.now((world) => setAside(world, self.name))
  if (to === null || (compacts ? as !== 'head' : to === head)) return 'over'
  const from = compacts ? null : baseFor(project, dataset, base, rules)
  const row = newRow(self, writeId, from, to, compacts || as === 'side')
  await tools.now((world) => {
    world.writes = { ...world.writes, [writeId]: { machine: self.name, past: dataset.past } }
    const { lost, byHand } = dataset.past
    if (as === 'side' && !lost && !byHand)
      violate(world, `machine ${self.name}, which never lost the project, was treated as if it had`)
    if (as === 'head' && !compacts && head !== null && textOf(to) === textOf(head))
      violate(world, `machine ${self.name} sent again what it had saved already`)
  })
  if (!(await catalogue.apply(beginWrite(project, row)))) return 'over'
  await chunks.put(row)
  try {
    await commitAttempt(catalogue, {
      writeId,
      manifest: manifestOf(row),
      planned: project,
      stillAllowed: (now) =>
        row.side || savesAs(now, descentOf(self.host, dataset), rules) === 'head'
          ? undefined
          : 'it became a side point',
      retention: { policy: NO_HISTORY },
      rules,
    })
    if (as === 'head') await tools.now((world) => trims(world, self.name, to, rules))
  } catch (error) {
    if (codeOf(error) === 'commit-refused') await tools.now((world) => judgeRefusal(world, writeId))
    throw error
  }
  return 'over'
}

/** Older snapshots stay here for good: what a step is sent from is what the walks are about. */
function trims(world: World, name: MachineName, saved: Guid, rules: Rules): void {
  const { dataset } = machineOf(world, name)
  if (!dataset?.snapshots.includes(saved) || afterSave(saved, saved, new Set([saved]), rules) === 'stays')
    return
  const snapshots = dataset.snapshots.filter((point) => point !== saved)
  setDataset(world, name, { snapshots, bookmarks: [...(dataset.bookmarks ?? []), saved] })
}

function takeSnapshot(world: World, name: MachineName): Dataset | null {
  const { dataset } = machineOf(world, name)
  if (dataset && isDirty(dataset)) {
    const again = dataset.bookmarks?.includes(dataset.live as Guid) ? "'" : ''
    setDataset(world, name, { snapshots: [...dataset.snapshots, `${dataset.live}${again}` as Guid] })
  }
  return machineOf(world, name).dataset
}

export function setAside(world: World, name: MachineName): Outcome {
  const { dataset, aside } = machineOf(world, name)
  if (dataset) setMachine(world, name, { dataset: null, aside: [...aside, { ...dataset, mounted: false }] })
  return 'over'
}

/** Both ends of what the choice of a base may come to; the real one lies between. */
function baseFor(project: Project, dataset: Dataset, base: Base, rules: Rules): Guid | null {
  const ends = new Set([...project.rows.values()].map((row) => row.to))
  const bases = dataset.snapshots
    .slice(0, -1)
    .filter((point) => (rules.baseReachable ? isReachable(project, point) : ends.has(point)))
  return (base === 'oldest base' ? bases[0] : bases.at(-1)) ?? null
}

function newRow(self: Self, writeId: WriteId, from: Guid | null, to: Guid, side: boolean): WriteRow {
  const { host, session } = self
  const times = { begunAtMs: 0, changedAtMs: 0, committedAtMs: null }
  return {
    writeId,
    from,
    to,
    host,
    session,
    side,
    state: 'writing',
    chunkBytes: CHUNK_BYTES,
    seqHigh: 1,
    ...times,
    manifest: null,
  }
}

const manifests = new Map<Guid, Manifest>()

/** One manifest a point, so that equal projects are equal. */
export function manifestOf({ to }: Pick<WriteRow, 'to'>): Manifest {
  const known = manifests.get(to)
  if (known) return known
  const manifest: Manifest = {
    version: 1,
    codec: 'none',
    ...extentOf(to),
    chunkBytes: CHUNK_BYTES,
    rootDigest: '',
    stream: { toName: to, createdAtMs: 0, byteOrder: 'little', features: [], logicalBytes: 0n, records: {} },
  }
  manifests.set(to, manifest)
  return manifest
}

/** Owns it, plans, receives, mounts. */
export async function open(tools: Tools, self: Self): Promise<Outcome> {
  const { catalogue, chunks, rules } = tools
  await takeProject(catalogue, PROJECT, self.host, { rules })
  for (let tries = 0; tries <= 3; tries++) {
    const project = await readOwn(tools, self)
    const path = pathToHead(project)
    const { life, owner, head, epoch } = project.statics
    if (life !== 'live' || owner !== self.host || path === null) return 'over'
    await tools.now((world) => setMachine(world, self.name, { opening: UNTOUCHED }))
    if ((await chunks.firstMissing(path)) !== undefined) continue
    const snapshots = path.map((row) => row.to)
    await tools.now((world) => {
      const past = machineOf(world, self.name).opening ?? UNTOUCHED
      const dataset = { snapshots, live: head ?? '', openedEpoch: epoch, mounted: true, past }
      setMachine(world, self.name, { dataset, opening: null })
    })
    return 'over'
  }
  return 'over'
}

/** Unmounts, proves that the newest snapshot is the head, releases, destroys the dataset. */
export async function move(tools: Tools, self: Self): Promise<Outcome> {
  const { catalogue, rules } = tools
  await tools.now((world) => setDataset(world, self.name, { mounted: false }))
  try {
    const project = await readOwn(tools, self)
    const dataset = await datasetOf(tools, self)
    const proven =
      dataset !== null &&
      !isDirty(dataset) &&
      newestOf(dataset) === project.statics.head &&
      savesAs(project, descentOf(self.host, dataset), rules) === 'head'
    if (!proven) return 'over'
    const after = await settle(catalogue, project, releaseProject(project), { rules })
    if (after.statics.owner !== self.host)
      await tools.now((world) => setMachine(world, self.name, { dataset: null }))
    return 'over'
  } finally {
    await tools.now((world) => setDataset(world, self.name, { mounted: true }))
  }
}

/** One beat. Who lost its host row stops counting itself as a host. */
export async function beat(tools: Tools, self: Self): Promise<Outcome> {
  const { catalogue } = tools
  const { host, session } = self
  const row = await tools.now((world) => world.hosts.get(host))
  try {
    if (row) await renewHost(catalogue, identityOf(self), { ...row, session })
  } catch (error) {
    if (codeOf(error) !== 'host-lost') throw error
    await tools.now((world) => losesHost(world, self))
  }
  return 'over'
}

/** At its start, and after it was marked dead. */
export async function register(tools: Tools, self: Self): Promise<Outcome> {
  const { catalogue, rules } = tools
  try {
    const { returned } = await registerHost(catalogue, identityOf(self))
    if (returned) {
      await touchAfterReturn(catalogue, PROJECT, self.host, { rules })
      await finishReturn(catalogue, identityOf(self))
    }
    await tools.now((world) => setMachine(world, self.name, { counts: true }))
  } catch (error) {
    if (codeOf(error) !== 'host-lost') throw error
    await tools.now((world) => losesHost(world, self))
  }
  return 'over'
}

const identityOf = ({ host, session, name }: Self) => ({ host, session, name, process: null })

/** Marked dead: it registers anew, as another session. Where another session has its host id, it stops. */
function losesHost(world: World, { name, host, session }: Self): void {
  const { sessions } = machineOf(world, name)
  const stopped = world.hosts.get(host)?.session !== session
  setMachine(world, name, { counts: false, stopped, sessions: sessions + 1 })
}

/** Another host's row stood still for long enough. */
export async function declareDead(tools: Tools, other: HostId): Promise<Outcome> {
  const row = await tools.catalogue.readHost(other)
  if (row?.state === 'live') await markDead(tools.catalogue, row)
  return 'over'
}
