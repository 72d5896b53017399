/** What /proc says a process is doing. */
import { readFileSync } from 'node:fs'

/** `D` for one that waits in the kernel and cannot be ended, `Z` for one that has ended and was not buried; undefined where it is gone. */
export function processState(pid: number): string | undefined {
  try {
    return /^\d+ \(.*\) (\S)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1]
  } catch {
    return undefined // gone, which is the answer
  }
}
