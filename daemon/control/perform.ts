/**
 * Carries out what was asked: a verb that may take long as an operation that can be looked at and cancelled, what has a key only
 * once, and what is to be audited with an entry in the log.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import { type Answers, printOf } from './answers.ts'
import { audited, projectOf } from './audited.ts'
import { operationView } from './operation-view.ts'
import type { Call, Route } from './route.ts'
import { Work } from './work.ts'

export const OPERATION_HEADER = 'tidepool-operation'

export interface Request {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** As it came. */
  readonly body: unknown
}

export interface Performed {
  readonly status: number
  readonly body: object
}

type AnyCall = Call<unknown, unknown>

/** `tell` hears of headers before there is an answer, for a failure has them too. */
export async function perform(
  route: Route,
  request: Request,
  call: AnyCall,
  tell: (headers: Readonly<Record<string, string>>) => void,
): Promise<Performed> {
  const work = workOf(call.daemon.journal.answers, route, request, call)
  const { operation } = work
  if (operation) tell({ [OPERATION_HEADER]: operation.id })
  if (!operation || !wantsNoWait(request.headers)) return { status: 200, body: await work.wait(call.signal) }
  work.detach()
  tell({ location: `/v1/operations/${operation.id}`, 'preference-applied': 'respond-async' })
  return { status: 202, body: operationView(operation) }
}

function workOf(answers: Answers, route: Route, request: Request, call: AnyCall): Work {
  const key = request.headers['idempotency-key']
  const begin = (): Work => (route.long ? longWork : shortWork)(route, request, call, key !== undefined)
  if (route.method !== 'POST' || key === undefined) return begin()
  return answers.of(call.principal, String(key), printOf(request.method, request.url, request.body), begin)
}

function longWork(route: Route, request: Request, call: AnyCall, again: boolean): Work {
  const { daemon, principal, origin } = call
  const asked = { verb: route.verb ?? request.url, project: projectOf(call), principal, origin }
  const { operation, done } = daemon.journal.operations.start(asked, ({ id, signal, onProgress }) =>
    audited(route, { ...call, operation: id, again, signal, onProgress }, request.body),
  )
  return new Work(done, (reason) => operation.cancel(reason), operation)
}

/** With a signal of its own: others may wait for it after the caller has gone. */
function shortWork(route: Route, request: Request, call: AnyCall, again: boolean): Work {
  const stop = new LinkedAbort(call.daemon.signal)
  const done = audited(route, { ...call, again, signal: stop.signal }, request.body).finally(() =>
    stop.leave(),
  )
  return new Work(done, (reason) => stop.abort(reason))
}

const wantsNoWait = ({ prefer }: IncomingHttpHeaders): boolean =>
  String(prefer ?? '')
    .split(',')
    .some((one) => one.trim().toLowerCase() === 'respond-async')
