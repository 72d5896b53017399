/** Keeps systemd told how a service is, and that it lives: only while whoever is asked says so. */
import type { Notifier } from '../../native/systemd/notify.ts'
import { systemClock } from '../../pipeline/base/clock.ts'
import { messageOf } from '../../pipeline/base/errors.ts'

export interface Reported {
  /** In one line, for `systemctl status`. From memory: it is asked every few seconds. */
  readonly status: () => string
  /** Rejects with what does not live. */
  readonly lives: (signal: AbortSignal) => Promise<void>
}

/** What `systemctl status` shows is no older. */
const EVERY_MS = 10_000
/** Three in a row may be late before systemd acts. */
const PINGS_A_WATCHDOG = 4

/** Until the signal fires. */
export async function keepReporting(
  notifier: Notifier,
  { status, lives }: Reported,
  signal: AbortSignal,
  everyMs: number = Math.min(EVERY_MS, (notifier.watchdogMs ?? Infinity) / PINGS_A_WATCHDOG),
): Promise<void> {
  let told = ''
  while (!signal.aborted) {
    const lines: string[] = []
    let now = status()
    if (notifier.watchdogMs !== undefined)
      try {
        await lives(signal)
        lines.push('WATCHDOG=1')
      } catch (error) {
        now = `does not answer itself: ${messageOf(error)}`
      }
    if (signal.aborted) return
    if (now !== told) lines.push(`STATUS=${now}`)
    told = now
    if (lines.length > 0) await notifier.tell(...lines)
    await systemClock.sleep(everyMs, signal).catch(() => {})
  }
}
