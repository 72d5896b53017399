/**
 * Looks at the rows of all hosts again and again, so that one that died long ago is known to be dead by the time somebody wants
 * what it has: whether a row stands still only he can tell who has looked before.
 */
import { RENEW_INTERVAL_MS } from '../../pipeline/hosts/heartbeat.ts'
import type { ProjectHost } from './host.ts'

type Watching = Pick<ProjectHost, 'store' | 'clock' | 'deathWatch' | 'host'>

export interface WatchOptions {
  /** @default three renewals: a death is known half a minute later than it could be, for one short list */
  readonly intervalMs?: number
}

/** Longer between two looks, and nobody can say that a row stood still: the others may not have reached the store either. */
const MISSED = 3

/** Until the signal fires. Never rejects. */
export async function watchHosts(
  { store, clock, deathWatch, host }: Watching,
  signal: AbortSignal,
  { intervalMs = 3 * RENEW_INTERVAL_MS }: WatchOptions = {},
): Promise<void> {
  let lookedAtMs = clock.monotonicMs()
  while (!signal.aborted) {
    try {
      const rows = []
      for await (const row of store.catalogue.hosts({ signal })) if (row.host !== host) rows.push(row)
      const nowMs = clock.monotonicMs()
      if (nowMs - lookedAtMs > MISSED * intervalMs) deathWatch.forget()
      lookedAtMs = nowMs
      for (const row of rows) deathWatch.stoodStillMs(row)
    } catch {
      // The store is away: whoever else lives can't renew itself either, and has its time again from when it is back.
      if (!signal.aborted) deathWatch.forget()
    }
    await clock.sleep(intervalMs, signal).catch(() => {})
  }
}
