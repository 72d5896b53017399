/** A launcher that listens: a command before that would be started by whoever asks. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Launcher } from '../../native/zfs/launcher.ts'

const LIMIT_MS = 20_000

/** Its process; not the one that it had, where that is named. */
export async function listening(launcher: Launcher, before?: number): Promise<number> {
  for (const untilMs = performance.now() + LIMIT_MS; performance.now() < untilMs; await sleep(5)) {
    const { pid } = launcher
    if (pid !== undefined && pid !== before) return pid
  }
  throw new Error('no launcher listens')
}
