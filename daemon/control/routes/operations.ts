/** The operations of this start of the daemon: listed, watched, cancelled. */
import { z } from 'zod'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import type { Operation } from '../../operations/operation.ts'
import { EventStream, type Frame } from '../event-stream.ts'
import { operationView } from '../operation-view.ts'
import { nothing, type Route, route } from '../route.ts'

const anOperation = z.strictObject({ id: z.uuid() })
/** Changes that come closer together are told as one. */
const APART_MS = 100

export const operationRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/operations',
    about: 'What is under way, newest first, and what has ended since the daemon started',
    needs: 'read',
    params: z.object({}),
    body: nothing,
    run: async ({ daemon }) => ({ operations: daemon.journal.operations.all.map(operationView) }),
  }),
  route({
    method: 'GET',
    path: '/v1/operations/{id}',
    about: 'How far it is, or how it ended; with its answer, where it is done',
    needs: 'read',
    params: anOperation,
    body: nothing,
    run: async ({ daemon, params: { id } }) => operationView(daemon.journal.operations.get(id)),
  }),
  route({
    method: 'DELETE',
    path: '/v1/operations/{id}',
    about: 'Cancel it: it is told to end, and has ended once its state says so',
    needs: 'operate',
    params: anOperation,
    body: nothing,
    run: async ({ daemon, params: { id }, principal }) => {
      const operation = daemon.journal.operations.get(id)
      operation.cancel(cancelled(operation, principal))
      return operationView(operation)
    },
  }),
  route({
    method: 'GET',
    path: '/v1/operations/{id}/events',
    about: 'Its progress as it goes on; the last event is `ended`',
    needs: 'read',
    answers: 'text/event-stream',
    params: anOperation,
    body: nothing,
    run: async ({ daemon, params: { id }, lastEventId }) => {
      const operation = daemon.journal.operations.get(id)
      return new EventStream((signal) => progressOf(operation, lastEventId, signal))
    },
  }),
]

function cancelled({ asked }: Operation, principal: string): TidepoolError {
  const of = asked.project === null ? '' : ` of project ${asked.project}`
  return new TidepoolError('operation-cancelled', `the ${asked.verb}${of} was cancelled by ${principal}`, {
    hint: 'Ask for it again when it is wanted: it goes on from what there is.',
  })
}

/** Only what it is now counts, so a reader who comes back, or is slow, has missed nothing. */
async function* progressOf(
  operation: Operation,
  lastEventId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  const gone = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  let seen = Number(lastEventId ?? 0)
  while (!signal.aborted) {
    const { version, change, state } = operation
    const event = state === 'running' ? 'progress' : 'ended'
    if (version !== seen || event === 'ended')
      yield { id: String(version), event, data: operationView(operation) }
    if (event === 'ended') return
    seen = version
    await Promise.race([change, gone])
    await Promise.race([new Promise((resolve) => setTimeout(resolve, APART_MS)), gone])
  }
}
