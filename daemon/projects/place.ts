/** On which host a project is best opened, and how long that would take here: for whoever places users on hosts. */
import { type HostId, hostId, type ProjectId } from '../../pipeline/base/ids.ts'
import { cheapestPaths } from '../../pipeline/graph/plan.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import type { HostRow } from '../../pipeline/hosts/state.ts'
import { heldSnapshots } from './copy-in-pool.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import type { OpenRate, OpenWork } from './open-rate.ts'

export interface Placement {
  /** Where it is best opened. */
  readonly host: HostId
  readonly name: string
  readonly why: 'owns it' | 'saved it last, and probably still has a copy' | 'nobody has it'
  /** What this host would have to receive, and about how long until it is open here. */
  readonly here: OpenWork & { readonly predictedMs: number; readonly mayOpen: boolean }
}

/** Asks no other host: what the store knows of them is enough. */
export async function place(
  host: ProjectHost,
  rate: OpenRate,
  id: ProjectId,
  options: ActOptions = {},
): Promise<Placement> {
  const project = await readProject(host.store.catalogue, id, options)
  const { owner } = project.statics
  const rows = await liveHosts(host, options)
  const owning = owner === null ? undefined : rows.get(hostId(owner))
  const work = await workHere(host, project, options)
  const here = { ...work, predictedMs: rate.predictMs(work), mayOpen: !owning || owning.host === host.host }
  const own = rows.get(host.host)
  if (owning) return { host: owning.host, name: owning.name, why: 'owns it', here }
  const last = rows.get(lastSavedBy(project) ?? host.host)
  if (last && last.host !== host.host && work.streams > 0)
    return { host: last.host, name: last.name, why: 'saved it last, and probably still has a copy', here }
  return { host: host.host, name: own?.name ?? '', why: 'nobody has it', here }
}

async function liveHosts(
  { store, deathWatch }: ProjectHost,
  options: ActOptions,
): Promise<Map<HostId, HostRow>> {
  const rows = new Map<HostId, HostRow>()
  for await (const row of store.catalogue.hosts(options))
    if (row.state === 'live' && !deathWatch.looksDead(row)) rows.set(row.host, row)
  return rows
}

const lastSavedBy = ({ rows, statics: { head } }: Project): HostId | undefined =>
  [...rows.values()].find(({ to, state }) => state === 'committed' && to === head)?.host

async function workHere(host: ProjectHost, project: Project, options: ActOptions): Promise<OpenWork> {
  const { head } = project.statics
  const from = (await heldSnapshots(host, project.id, options)).map(({ guid }) => guid)
  const path = head === null ? [] : (cheapestPaths(project.rows.values(), { from }).to(head) ?? [])
  return {
    streams: path.length,
    bytes: path.reduce((sum, { manifest }) => sum + (manifest?.bytes ?? 0n), 0n),
  }
}
