/**
 * Lets another host have a project at once: a close, after a look whether that host is there to take it. It is released and
 * not handed over: it is nobody's until that host opens it, so a move to a host that dies in between strands nothing.
 */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { HostId, ProjectId } from '../../pipeline/base/ids.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import type { HostRow } from '../../pipeline/hosts/state.ts'
import { release, saveUnmounted } from './close.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import type { Saved, SaveOptions } from './save.ts'

export interface Moved {
  /** Who was found to be there; nobody else is kept from it. */
  readonly to: { readonly host: HostId; readonly name: string }
  /** Undefined where the pool had nothing of it. */
  readonly saved?: Saved
  readonly project: Project
  /** All of it, the saves included. */
  readonly tookMs: number
}

/**
 * `to` is a host's id or name. Rejects with `host-unknown`, `host-ambiguous`, `host-not-live`, `host-is-here` or
 * `owned-elsewhere` before anything has happened, with `dataset-busy` where somebody is in it, after a save; it stays here then.
 */
export function move(
  host: ProjectHost,
  id: ProjectId,
  to: string,
  options: SaveOptions = {},
): Promise<Moved> {
  return host.locks.hold(id, 'move', options.signal, async () => {
    host.mayAct()
    const startedMs = host.clock.monotonicMs()
    const target = await targetOf(host, id, to, options)
    await refuseOther(host, id, options)
    const saved = await saveUnmounted(host, id, options)
    const project = await release(host, id, options)
    return {
      to: { host: target.host, name: target.name },
      ...(saved && { saved }),
      project,
      tookMs: host.clock.monotonicMs() - startedMs,
    }
  })
}

/** By its id, or by its name where one host alone has that. */
async function targetOf(host: ProjectHost, id: ProjectId, to: string, options: ActOptions): Promise<HostRow> {
  const named: HostRow[] = []
  for await (const row of host.store.catalogue.hosts(options))
    if (row.host === to || row.name === to) named.push(row)
  const able = named.filter((row) => row.state === 'live' && !host.deathWatch.looksDead(row))
  const [target, another] = able
  const tried = `move of project ${id} to ${to}`
  if (another)
    throw new TidepoolError('host-ambiguous', `${tried}: ${able.length} live hosts have that name`, {
      hint: `Give the id of one: ${able.map((row) => row.host).join(', ')}.`,
    })
  if (target?.host === host.host)
    throw new TidepoolError('host-is-here', `${tried}: that is this host`, {
      hint: 'To let go of it here, close it.',
    })
  if (target) return target
  const [known] = named
  if (known)
    throw new TidepoolError(
      'host-not-live',
      `${tried}: host ${known.host} (${known.name}) is ${stateOf(known)}`,
      {
        hint: 'Start it, or choose another; the project stays here.',
      },
    )
  throw new TidepoolError('host-unknown', `${tried}: no host of this store has that id or name`, {
    hint: 'A host is known once its daemon has started with this store.',
  })
}

const stateOf = ({ state }: HostRow): string => (state === 'live' ? 'silent for too long' : state)

/** What is nobody's is as good as moved, once what the pool has of it is saved. */
async function refuseOther(host: ProjectHost, id: ProjectId, options: ActOptions): Promise<void> {
  const { owner, life } = (await readProject(host.store.catalogue, id, options)).statics
  if (life !== 'live')
    throw new TidepoolError('project-gone', `project ${id} is ${life}: no host can open it`, {
      hint: 'A destroyed project can be moved after an undelete.',
    })
  if (owner === null || owner === host.host) return
  throw new TidepoolError('owned-elsewhere', `project ${id} is owned by host ${owner}, not by this one`, {
    hint: 'Move it from there.',
    facts: { project: id, owner },
  })
}
