/** What is said of each event, at which level. Errors by their code, words and facts: nothing else of them may hold a secret. */
import type { Ended } from '../../native/zfs/run.ts'
import { codeOf, messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { StoreAttempt } from '../../pipeline/stores/retrying.ts'
import type { Refusal } from '../auth/caller.ts'
import type { Operation } from '../operations/operation.ts'
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
      'this host may not act: nothing is saved, opened or evicted',
    )
}

/** What is saved by other hosts with these can't be opened here. */
export function receivableLine(log: Log, lacks: readonly string[]): void {
  if (lacks.length === 0)
    log.info({ event: 'receivable', lacks }, 'this host can receive what its store allows')
  else
    log.error(
      { event: 'receivable', lacks },
      `this host can't receive streams that use ${lacks.join(', ')}, which its store allows: opens of such projects fail here`,
    )
}

/** An operation that comes to another part of its work. */
export function stepLine(log: Log, { id, asked, step }: Operation): void {
  const { project, verb } = asked
  log.debug({ event: 'step', operation: id, project, verb, step }, `${verb}: ${step}`)
}

/** Of a send or a receive this is when its stream has ended. */
export function commandLine(log: Log, { command, lane, waitedMs, tookMs, error }: Ended): void {
  const about = { event: 'command', lane, waitedMs: Math.round(waitedMs), tookMs: Math.round(tookMs) }
  const failure = error === undefined ? {} : { error: errorFields(error) }
  log.debug({ ...about, ...failure }, cut(command))
}

/** One that went well is told by what it was for. */
export function storeLine(log: Log, { call, what, attempt, elapsedMs, error }: StoreAttempt): void {
  if (error === undefined) return
  const about = { event: 'store-call-failed', call, attempt, tookMs: Math.round(elapsedMs) }
  log.debug({ ...about, error: errorFields(error) }, cut(what))
}

export interface Request {
  readonly id: string
  readonly listener: string
  readonly method: string
  /** With the names of its parameters and not what they were: that is the caller's choice. */
  readonly route: string
  readonly project: string | null
  readonly principal: string | undefined
  readonly origin: string
  readonly status: number
  readonly tookMs: number
  readonly operation?: string
}

/** What only looks is asked all the time. */
export function requestLine(log: Log, { id, method, route, status, tookMs, ...more }: Request): void {
  const level = status >= 500 ? 'warn' : method === 'GET' ? 'debug' : 'info'
  const about = { event: 'request', request: id, method, route, status, tookMs: Math.round(tookMs) }
  log[level]({ ...about, ...more }, `${method} ${route}: ${status}`)
}

/** What nobody expected: whoever asked is told nothing but the id, so all of it is here. */
export function unexpectedLine(log: Log, requestId: string, error: unknown): void {
  const stack = error instanceof Error && error.stack !== undefined ? { stack: cut(error.stack) } : {}
  const about = { event: 'unexpected', request: requestId, error: { ...errorFields(error), ...stack } }
  log.error(about, 'a request failed as nothing should')
}

export function refusalLine(log: Log, { requestId, method, path, code, ...more }: Refusal): void {
  const about = { event: 'refused', request: requestId, method, path, code, ...more }
  log.warn(about, `refused: ${code}`)
}

/** A line that is longer the journal would cut in two, and the second part had no priority. */
const MAX_TEXT = 2000

const cut = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)

export function errorFields(error: unknown) {
  const hint = error instanceof TidepoolError ? error.hint : undefined
  return {
    code: codeOf(error) ?? 'unexpected',
    message: cut(messageOf(error)),
    ...(hint !== undefined && { hint: cut(hint) }),
  }
}

const rounded = (phases: NonNullable<Act['phases']>) =>
  Object.fromEntries(Object.entries(phases).map(([phase, ms]) => [phase, Math.round(ms)]))
