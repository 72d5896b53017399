/** Whether a daemon does its work, as far as a restart would mend it: a store or a pool that hangs is no reason for one. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { Client } from '../client/client.ts'
import type { SaveQueue } from '../projects/save-queue.ts'

const ANSWER_LIMIT_MS = 10_000
/** A save that could begin and has not for so long: nobody looks any more. */
const OVERDUE_LIMIT_MS = 5 * 60_000

export interface Daily {
  /** Of the control server. */
  readonly socket: string
  readonly saves: Pick<SaveQueue, 'overdueMs'>
}

/** Rejects with `daemon-hangs` or with what asking it through its own socket came to. */
export async function daemonLives(
  { socket, saves }: Daily,
  signal: AbortSignal,
  limitMs: number = ANSWER_LIMIT_MS,
): Promise<void> {
  // Whatever it answers: this one needs neither the pool nor the store.
  await new Client({ socket, limitMs }).call('GET', '/v1/openapi.json', { signal })
  if (saves.overdueMs > OVERDUE_LIMIT_MS)
    throw new TidepoolError(
      'daemon-hangs',
      `a save is due for ${Math.round(saves.overdueMs / 1000)} s, nothing keeps it, and it is not begun`,
      { facts: { overdueMs: saves.overdueMs } },
    )
}
