/** Turns what the parts of a daemon tell into events of the host. */
import { codeOf } from '../../pipeline/base/errors.ts'
import type { Operation } from '../operations/operation.ts'
import type { Act, ActKind } from '../projects/acts.ts'
import type { MembershipState } from '../projects/membership.ts'
import type { Tidings } from '../projects/tidings.ts'
import { type EventKind, type HostEvent, whyOf } from './event.ts'
import type { Events } from './events.ts'

const EVENT = {
  create: 'project-created',
  open: 'project-opened',
  save: 'project-saved',
  close: 'project-closed',
  evict: 'project-evicted',
  move: 'project-moved',
  destroy: 'project-destroyed',
  'roll-back': 'project-rolled-back',
  restore: 'project-restored',
} as const satisfies Record<ActKind, EventKind>

/** Of an act that somebody asked for and that failed, he is told; of a save by itself everybody is, each time. */
export function tellAct(events: Events, act: Act): void {
  if (act.error === undefined) {
    if (act.result !== 'unchanged') events.tell(EVENT[act.what], act.id, factsOf(act))
  } else if (act.what === 'save' && act.byItself) events.tell('save-failed', act.id, whyOf(act.error))
}

export function tellTidings(events: Events, { kind, id, ...facts }: Tidings): void {
  events.tell(`project-${kind}`, id, facts)
}

function factsOf({ what, bytes, point, to, byItself }: Act): HostEvent['facts'] {
  if (what === 'open') return { receivedBytes: bytes }
  if (what === 'evict') return { freedBytes: bytes, bySweep: byItself === true }
  return {
    ...(point !== undefined && { point }),
    ...(bytes !== undefined && { bytes }),
    ...(to !== undefined && { to }),
  }
}

/** Each try to come back fails by itself: one event tells of all. */
export function membershipTeller(events: Events): (state: MembershipState) => void {
  let last: MembershipState['kind'] | undefined
  return (state) => {
    if (state.kind === last) return
    last = state.kind
    events.tell(`host-${state.kind}`, null, state.kind === 'live' ? {} : whyOf(state.error))
  }
}

export function tellOperation(events: Events, operation: Operation): void {
  const { asked, id, state, error } = operation
  // Anybody can touch any number of names that are none; that must not push out what else happened.
  if (asked.origin === 'touch' && (state === 'running' || codeOf(error) === 'project-unknown')) return
  const facts = { operation: id, verb: asked.verb, principal: asked.principal, origin: asked.origin }
  if (state === 'running') events.tell('operation-started', asked.project, facts)
  else
    events.tell('operation-ended', asked.project, {
      ...facts,
      state,
      ...(error !== undefined && whyOf(error)),
    })
}
