/**
 * How late the event loop is, by a timer that knows when it was due. `monitorEventLoopDelay`, which prom-client uses, wakes the process
 * a hundred times a second: 0.7 % of a core where nothing else is done, and what it tells has its own period in it.
 */
import { type Maker, PREFIX } from './make.ts'

const PERIOD_MS = 250
/** The longest that a timer can be: prom-client's own never fires. */
export const NEVER_MS = 2 ** 31 - 1

export class EventLoopMetrics {
  readonly #lag

  /** Takes away what prom-client has put into the registry about it. */
  constructor(make: Maker) {
    for (const { name } of make.registry.getMetricsAsArray())
      if (name.startsWith(`${PREFIX}nodejs_eventloop_lag`)) make.registry.removeSingleMetric(name)
    this.#lag = make.seconds('event_loop_lag_seconds', 'How late a timer was, four times a second')
  }

  /** Until the signal fires; keeps no process alive. */
  run(signal: AbortSignal): void {
    let beganMs = performance.now()
    const timer = setInterval(() => {
      const nowMs = performance.now()
      this.#lag.observe(Math.max(0, nowMs - beganMs - PERIOD_MS) / 1000)
      beganMs = nowMs
    }, PERIOD_MS).unref()
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }
}
