/** Why a project is as it is, in the words of whoever asks: what is being done with it, what failed, and what helps. */
import { hostname } from 'node:os'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { hostId, type ProjectId } from '../../pipeline/base/ids.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import type { Daemon } from '../daemon.ts'
import { divergedText } from '../projects/diverged.ts'
import { stuckOn } from '../projects/quarantine.ts'
import { STAYS_IN_WORDS } from '../projects/residency.ts'
import { whyHere } from './views.ts'

export interface Finding {
  /** `wrong`: somebody has to do something; `waiting`: it passes by itself; `fine`: so it should be. */
  readonly kind: 'wrong' | 'waiting' | 'fine'
  readonly text: string
  readonly hint?: string
}

/** What is wrong comes first. Never empty, and rejects only where the store does not answer. */
export async function whySo(
  daemon: Daemon,
  id: ProjectId,
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly Finding[]> {
  const found: Finding[] = [...ofTheHost(daemon)]
  try {
    const project = await readProject(daemon.engine.host.store.catalogue, id, options)
    found.push(...(await ofTheStore(daemon, project, options)))
  } catch (error) {
    if (!(error instanceof TidepoolError) || error.temporary) throw error
    found.push(wrong(error))
  }
  found.push(...ofTouches(daemon, id), ...ofActs(daemon, id), ...ofSaves(daemon, id))
  const order = { wrong: 0, waiting: 1, fine: 2 }
  return found.sort((a, b) => order[a.kind] - order[b.kind])
}

const seconds = (ms: number): string => `${Math.max(0, Math.round(ms / 1000))} s`

function wrong(error: unknown, before = ''): Finding {
  const { message, hint } = error as { message?: string; hint?: string }
  return { kind: 'wrong', text: `${before}${message ?? String(error)}`, ...(hint !== undefined && { hint }) }
}

function* ofTheHost({ engine }: Daemon): Generator<Finding> {
  try {
    engine.host.mayAct()
  } catch (error) {
    yield wrong(error, 'this host does nothing with any project: ')
  }
}

async function ofTheStore(
  { engine, config }: Daemon,
  { id, statics }: Project,
  options: { readonly signal?: AbortSignal },
): Promise<Finding[]> {
  if (statics.life !== 'live')
    return [
      {
        kind: 'wrong',
        text: `${id} is ${statics.life}`,
        ...(statics.life === 'destroyed' && { hint: `tidepool undelete ${id}` }),
      },
    ]
  const { host, deathWatch, settings } = engine.host
  if (statics.owner === null) return [{ kind: 'fine', text: 'no host has it: the next touch opens it' }]
  if (statics.owner === host) return [{ kind: 'fine', text: 'this host has it' }]
  const row = await engine.host.store.catalogue.readHost(hostId(statics.owner), options)
  const name = row ? `${row.name} (${row.host})` : statics.owner
  if (!row || !deathWatch.looksDead(row))
    return [
      {
        kind: 'wrong',
        text: `host ${name} has it`,
        hint: `Work with it there, or have it moved; on ${row?.name ?? 'that host'}: tidepool move ${id} ${config.name ?? hostname()}`,
      },
    ]
  const silent = `host ${name} has it, and has been silent for ${seconds(deathWatch.stoodStillMs(row))}`
  if (settings.takeover === 'automatic')
    return [{ kind: 'waiting', text: `${silent}: the next touch takes it over` }]
  return [
    { kind: 'wrong', text: silent, hint: `If that machine is off for good: tidepool host dead ${row.host}` },
  ]
}

function* ofTouches({ opens }: Daemon, id: ProjectId): Generator<Finding> {
  const state = opens.state(id)
  if (state?.kind === 'failed')
    yield wrong(state.error, `it could not be opened (a touch tries again in ${seconds(state.ms)}): `)
  else if (state)
    yield {
      kind: 'waiting',
      text: `it is ${state.kind === 'queued' ? 'in the line of projects to be opened' : 'being opened'}, for ${seconds(state.ms)}; ${state.waiting} wait for it`,
    }
}

function* ofActs({ engine }: Daemon, id: ProjectId): Generator<Finding> {
  const stuck = stuckOn(engine.host, id)
  if (stuck)
    yield {
      kind: 'wrong',
      text: `it is left alone: \`${stuck.command}\` (process ${stuck.pid}) can't be ended`,
      hint: 'The kernel does not let it end: look at `dmesg` and `zpool status`.',
    }
  if (engine.readOnly.all.some((one) => one.id === id))
    yield {
      kind: 'wrong',
      text: 'nobody can write to it: this host lost its place in the store, and another one may have the project',
      hint: 'It is writable again by itself once this host is back and the project is its own still.',
    }
  const diverged = engine.diverged.get(id)
  if (diverged)
    yield {
      kind: 'wrong',
      text: divergedText(diverged),
      hint: `It is set aside once nobody is in it; \`tidepool restore ${id} ${diverged.point}\` shows it beside the project.`,
    }
  const lock = engine.host.locks.state(id)
  if (lock) yield { kind: 'waiting', text: `${lock.what} is under way, for ${seconds(lock.forMs)}` }
}

function* ofSaves({ engine }: Daemon, id: ProjectId): Generator<Finding> {
  const saves = engine.saves.state(id)
  if (!saves) return
  const nowMs = engine.host.clock.monotonicMs()
  if (saves.error !== undefined)
    yield wrong(saves.error, `it could not be saved, ${saves.failures} times in a row: `)
  yield { kind: 'fine', text: `it is open; all is saved up to ${seconds(nowMs - saves.savedUpToMs)} ago` }
  const stays = whyHere(engine.sweeper, id)
  if (stays !== null) yield { kind: 'fine', text: `it stays in this pool: ${STAYS_IN_WORDS[stays]}` }
}
