/** Time as it is handed to whatever waits or measures, so that tests can hold it still. */
import { setTimeout as delay } from 'node:timers/promises'

export interface Clock {
  /** Milliseconds on a clock that never jumps; compare only with itself. */
  monotonicMs(): number
  /** Milliseconds since 1970 by this machine's wall clock: for showing, never for deciding between hosts. */
  wallMs(): number
  /** Resolves after `ms`; rejects with the signal's reason as soon as that fires, leaving no timer behind. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted()
    try {
      await delay(ms, undefined, signal ? { signal } : {})
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
}
