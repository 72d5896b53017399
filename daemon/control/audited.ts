/** Runs a route, and has in the audit log who asked for it and how it ended. */
import { codeOf } from '../../pipeline/base/errors.ts'
import type { Call, Route } from './route.ts'

/** Where it must be logged it is logged first, and not begun where that fails. */
export async function audited(route: Route, call: Call<unknown, unknown>, request: unknown): Promise<object> {
  if (route.audit === undefined) return route.run(call)
  const { daemon, principal, origin, operation } = call
  const entry = {
    what: route.verb ?? route.path,
    project: projectOf(call),
    principal,
    origin,
    operation: operation ?? null,
    request: request ?? null,
  }
  if (route.audit === 'required') await daemon.journal.audit.require({ ...entry, result: 'begun' })
  try {
    const answer = await route.run(call)
    daemon.journal.audit.note({ ...entry, result: 'done' })
    return answer
  } catch (error) {
    const result = call.signal.aborted ? 'cancelled' : 'failed'
    daemon.journal.audit.note({ ...entry, result, code: codeOf(error) ?? 'unexpected' })
    throw error
  }
}

/** Which project it is about; null where it is about none. */
export function projectOf({ params, body }: Pick<Call<unknown, unknown>, 'params' | 'body'>): string | null {
  for (const part of [params, body])
    if (typeof part === 'object' && part !== null && 'id' in part && typeof part.id === 'string')
      return part.id
  return null
}
