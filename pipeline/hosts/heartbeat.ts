/** Renews a host's row as long as the process lives, and says at once when it may no longer act. */
import { LinkedAbort } from '../base/abort.ts'
import type { Clock } from '../base/clock.ts'
import { codeOf, StoreUnavailableError, TidepoolError } from '../base/errors.ts'
import type { Catalogue } from '../stores/contract.ts'
import { type HostIdentity, renewHost } from './session.ts'
import type { HostRow } from './state.ts'

export const RENEW_INTERVAL_MS = 10_000
/** How long a host's row must stand still, on the looker's own clock, before it counts as dead. */
export const TAKEOVER_AFTER_MS = 300_000

export interface HeartbeatOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly intervalMs?: number
  /**
   * So long after the last renewal that is known to have arrived, the host stops by itself: before anybody else may
   * mark it dead.
   */
  readonly giveUpAfterMs?: number
}

/**
 * Runs until the signal fires (then it resolves) or the host is lost (then it rejects with `host-lost`). Renewals
 * that fail for lack of an answer are tried again at the next beat until `giveUpAfterMs` is over.
 */
export async function heartbeat(
  catalogue: Catalogue,
  identity: HostIdentity,
  registered: HostRow,
  options: HeartbeatOptions,
): Promise<void> {
  const { clock, signal, intervalMs = RENEW_INTERVAL_MS, giveUpAfterMs = TAKEOVER_AFTER_MS / 2 } = options
  let row = registered
  let provenAtMs = clock.monotonicMs()
  while (!signal.aborted) {
    try {
      await clock.sleep(intervalMs, signal)
      const askedAtMs = clock.monotonicMs()
      row = await renewWithin(intervalMs, catalogue, identity, row, options)
      provenAtMs = askedAtMs
    } catch (error) {
      if (signal.aborted) return
      if (codeOf(error) === 'host-lost') throw error
      if (clock.monotonicMs() - provenAtMs >= giveUpAfterMs)
        throw new TidepoolError(
          'host-lost',
          `host ${identity.host} could not renew itself for ${Math.round(giveUpAfterMs / 1000)} s`,
          {
            cause: error,
            hint: 'It stops committing, evicting and opening until the store answers again; what is mounted stays so.',
          },
        )
    }
  }
}

/** A store that never answers must not keep the host from noticing that its time is over. */
async function renewWithin(
  limitMs: number,
  catalogue: Catalogue,
  identity: HostIdentity,
  row: HostRow,
  { clock, signal }: HeartbeatOptions,
): Promise<HostRow> {
  const beat = new LinkedAbort(signal)
  const answered = new AbortController()
  const late = clock.sleep(limitMs, answered.signal).then(
    () =>
      beat.abort(
        new StoreUnavailableError(`renewal of host ${identity.host}: no answer within ${limitMs / 1000} s`),
      ),
    // The answer came first.
    () => {},
  )
  try {
    return await renewHost(catalogue, identity, row, { signal: beat.signal })
  } finally {
    answered.abort()
    beat.leave()
    await late
  }
}
