/** Waits for something to become so, and fails where it does not in time: longer on a machine that is said to be slow. */
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'

const patience = Number(process.env.TIDEPOOL_PATIENCE ?? 1)

export async function within(
  quickMs: number,
  holds: () => boolean | Promise<boolean>,
  what: string = String(holds),
): Promise<void> {
  const limitMs = quickMs * patience
  for (const end = performance.now() + limitMs; !(await holds()); await sleep(20))
    if (performance.now() > end) assert.unreachable(`not within ${limitMs} ms: ${what}`)
}

/** With words for what is waited for, and a minute. */
export const until = (what: string, holds: () => boolean | Promise<boolean>): Promise<void> =>
  within(60_000, holds, what)
