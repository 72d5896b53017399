/**
 * Asks the daemon for a verb that may take long. On a terminal its progress is shown, from the operation's own events; Ctrl-C cancels
 * it and says what remains. In a pipe it is one request that waits.
 */
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { Client } from '../client/client.ts'
import { errorOf } from '../client/errors.ts'
import type { OperationStatus } from '../client/types.ts'
import type { Cli } from './cli.ts'
import { operationLine } from './operation-line.ts'

/** The word of the verb in the API, and what is true of the project whenever it is cut off. */
const REMAINS = {
  open: 'Nothing that was half received stays; the next open goes on from what the pool has.',
  save: 'The project is as it was, and the daemon saves it again by itself.',
  close: 'Nothing is lost: `tidepool status ID` tells whether it is still open here.',
  evict:
    'It is in the pool as it was, unless it had been proven and was on its way out: then the store has all of it.',
  move: 'Nothing is lost: `tidepool status ID` tells whether it is still here.',
  restore: 'Nothing of it is left in the pool; the project was not touched.',
  rollback: 'What it was is saved: `tidepool history ID` shows which point it is at.',
  destroy:
    '`tidepool status ID` tells whether it was destroyed; until its window is over it can be had back.',
} as const

export type LongVerb = keyof typeof REMAINS

/** An operation that a daemon forgot by being started again is asked for anew: each of these verbs may be called twice. */
const TIMES = 3
const RESTARTED = new Set(['operation-unknown', 'shutting-down'])
/** What is cancelled ends soon, or is told to have been told. */
const BEGIN_LIMIT_MS = 30_000
const ENDING_LIMIT_MS = 30_000
const CLEAR = '\r\u001b[K'

export async function askLong<Answer>(cli: Cli, verb: LongVerb, id: string, body?: unknown): Promise<Answer> {
  const client = await cli.client()
  const path = `/v1/projects/${id}/${verb}`
  const asked = { signal: cli.signal, repeatable: true, ...(body !== undefined && { body }) }
  // An owner is answered about the project, and not about operations.
  if (cli.surroundings.stderr.isTTY !== true || (await client.isOwner()))
    try {
      return await client.call<Answer>('POST', path, asked)
    } catch (error) {
      if (cli.signal.aborted) throw interrupted(verb, id)
      throw error
    }
  for (let time = 1; ; time++)
    try {
      // Not cut off by Ctrl-C: what is begun is cancelled by its id, and that comes with the answer, at once.
      const { id: operation } = await client.begin(path, {
        ...asked,
        signal: AbortSignal.timeout(BEGIN_LIMIT_MS),
      })
      return answerOf<Answer>(await watched(cli, client, operation), verb, id)
    } catch (error) {
      if (!RESTARTED.has(codeOf(error) ?? '') || cli.signal.aborted || time === TIMES) throw error
    }
}

async function watched(cli: Cli, client: Client, operation: string): Promise<OperationStatus> {
  const { stderr } = cli.surroundings
  let last: OperationStatus | undefined
  try {
    for await (const now of client.follow(operation, cli.signal)) {
      last = now
      // A line that wraps could not be taken away again.
      stderr.write(`${CLEAR}${operationLine(now).slice(0, (stderr.columns ?? 80) - 1)}`)
    }
  } catch (error) {
    if (!cli.signal.aborted) throw error
    last = await cancelled(client, operation)
  } finally {
    stderr.write(CLEAR)
  }
  if (last) return last
  throw new TidepoolError('daemon-answer', `the daemon told nothing of operation ${operation}`)
}

/** As it is once it has ended. */
async function cancelled(client: Client, operation: string): Promise<OperationStatus> {
  const late = AbortSignal.timeout(ENDING_LIMIT_MS)
  let last = await client.cancel(operation, late)
  for await (const now of client.follow(operation, late)) last = now
  return last
}

function answerOf<Answer>(status: OperationStatus, verb: LongVerb, id: string): Answer {
  // Also where Ctrl-C came too late.
  if (status.state === 'done') return status.result as Answer
  if (status.state === 'cancelled' && status.error?.code === 'operation-cancelled')
    throw interrupted(verb, id, status.step)
  throw status.error ? errorOf({ error: status.error }) : interrupted(verb, id)
}

const interrupted = (verb: LongVerb, id: string, step?: string): TidepoolError =>
  new TidepoolError(
    'interrupted',
    `the ${verb} of ${id} was cancelled${step === undefined ? '' : ` (at: ${step})`}`,
    { hint: REMAINS[verb].replace('ID', id) },
  )
