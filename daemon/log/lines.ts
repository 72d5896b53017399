/** What is said of each event, at which level. Errors by their code, words and facts: nothing else of them may hold a secret. */
import { codeOf, messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { Refusal } from '../auth/caller.ts'
import type { Act } from '../projects/acts.ts'
import type { MembershipState } from '../projects/membership.ts'
import type { Log } from './log.ts'

const EVENT = { open: 'opened', save: 'saved', close: 'closed', evict: 'evicted' } as const

export function actLine(
  log: Log,
  { what, id, operation, tookMs, error, why, bytes, result, phases }: Act,
): void {
  const about = {
    event: error === undefined ? what : `${what}-failed`,
    project: id,
    operation,
    tookMs: Math.round(tookMs),
    ...(why !== undefined && { why }),
    ...(bytes !== undefined && { bytes: Number(bytes) }),
    ...(result !== undefined && { result }),
    ...(phases && { phasesMs: rounded(phases) }),
  }
  if (error !== undefined) log.warn({ ...about, error: errorFields(error) }, `${what} of ${id} failed`)
  else log.info(about, what in EVENT ? `${EVENT[what as keyof typeof EVENT]} ${id}` : `${what} of ${id} done`)
}

export function membershipLine(log: Log, state: MembershipState): void {
  if (state.kind === 'live') log.info({ event: 'membership', state: 'live' }, 'this host may act')
  else if (codeOf(state.error) === 'host-left') log.info({ event: 'membership', state: 'over' }, 'stopped')
  else
    log.error(
      { event: 'membership', state: state.kind, error: errorFields(state.error) },
      'this host may not act: users go on, nothing is saved, opened or evicted',
    )
}

/** Who was not let in, or asked wrongly; never with what he sent to prove himself. */
export function refusalLine(log: Log, { method, path, status, code, ...from }: Refusal): void {
  const { listener, origin, principal, requestId } = from
  log.warn(
    { event: 'refused', code, status, method, path, listener, origin, principal, request: requestId },
    `refused ${method} from ${origin}`,
  )
}

function errorFields(error: unknown) {
  const hint = error instanceof TidepoolError ? error.hint : undefined
  return {
    code: codeOf(error) ?? 'unexpected',
    message: messageOf(error),
    ...(hint !== undefined && { hint }),
  }
}

const rounded = (phases: NonNullable<Act['phases']>) =>
  Object.fromEntries(Object.entries(phases).map(([phase, ms]) => [phase, Math.round(ms)]))
