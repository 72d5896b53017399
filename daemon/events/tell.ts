/** Turns what the parts of a daemon tell into events of the host. */
import { codeOf } from '../../pipeline/base/errors.ts'
import type { Operation } from '../operations/operation.ts'
import type { MembershipState } from '../projects/membership.ts'
import type { Tidings } from '../projects/tidings.ts'
import { whyOf } from './event.ts'
import type { Events } from './events.ts'

export function tellTidings(events: Events, { kind, id, ...facts }: Tidings): void {
  if (kind === 'save-failed' && 'error' in facts) events.tell(kind, id, whyOf(facts.error))
  else if (kind !== 'save-failed') events.tell(`project-${kind}`, id, facts)
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
