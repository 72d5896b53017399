/** Asks again while a daemon is started again: what may be carried out twice, and not for ever. */
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '../../pipeline/base/errors.ts'

export interface AgainOptions {
  readonly mayRepeat: () => boolean
  /** Whether a daemon has answered this caller before. */
  readonly wasThere: () => boolean
  readonly limitMs: number
  readonly signal?: AbortSignal | undefined
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

export async function again<T>(ask: () => Promise<T>, options: AgainOptions): Promise<T> {
  const endMs = performance.now() + options.limitMs
  let left = false
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await ask()
    } catch (error) {
      options.signal?.throwIfAborted()
      const code = codeOf(error) ?? ''
      left ||= code === 'daemon-left' || code === 'shutting-down'
      // Nothing was asked of one that is missing. Where there never was one, none is being started again.
      const restarts = code === 'daemon-missing' ? left || options.wasThere() : left
      const repeats = code === 'daemon-missing' || options.mayRepeat()
      if (!GONE.has(code) || !restarts || !repeats || performance.now() + pauseMs > endMs) throw error
      await delay(pauseMs, undefined, options.signal ? { signal: options.signal } : {}).catch(() => {})
      options.signal?.throwIfAborted()
    }
  }
}

const GONE = new Set(['daemon-missing', 'daemon-left', 'shutting-down'])
