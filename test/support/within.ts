/** Waits for something to become so, and fails where it does not in time. */
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'

export async function within(limitMs: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + limitMs; !(await holds()); await sleep(20))
    if (performance.now() > end) assert.unreachable(`not within ${limitMs} ms: ${holds}`)
}
